// A bundle in MediaPipe's runtime.

import {FilesetResolver, PoseLandmarker} from './tasks_vision/vision_bundle.js';

export const CONNECTIONS = PoseLandmarker.POSE_CONNECTIONS;

const RUNTIME = new URL('tasks_vision', import.meta.url).href;

export class BundleLandmarker {
  #options = {};
  #landmarker = null;
  #timestamp = 0;
  #offset = null;
  #warm = false;

  // file: address of the bundle.
  constructor(file) {
    this.file = file;
  }

  // Options of MediaPipe's PoseLandmarker, and the delegate. Tracking begins anew.
  async configure({delegate, ...options}) {
    if (!this.#landmarker || delegate !== this.#options.delegate) await this.#create(delegate, options);
    else await this.#landmarker.setOptions(options);
    this.#options = {delegate, ...options};
    this.#offset = null;
    this.#warm = false;
  }

  async restart() {
    await this.configure(this.#options);
  }

  async #create(delegate, options) {
    this.close();
    const runtime = await FilesetResolver.forVisionTasks(RUNTIME, false);
    if (runtime.wasmLoaderPath.includes('nosimd')) throw new Error('this browser has no SIMD for WebAssembly');
    const baseOptions = {modelAssetPath: this.file, delegate};
    this.#landmarker = await PoseLandmarker.createFromOptions(runtime, {baseOptions, ...options});
    this.#timestamp = 0;
  }

  // Returns MediaPipe's result, which the caller closes, and the time it took; null for a first run, which
  // takes longer than all others. timeMs is null for a picture.
  detect(image, timeMs) {
    const isPicture = timeMs === null;
    if (isPicture && !this.#warm) this.#landmarker.detect(image).close();
    const measured = this.#warm || isPicture;
    this.#warm = true;
    const start = performance.now();
    const result = isPicture
      ? this.#landmarker.detect(image)
      : this.#landmarker.detectForVideo(image, this.#rising(timeMs));
    return {result, ms: measured ? performance.now() - start : null};
  }

  // Timestamps have to rise as long as a landmarker lives, also after its options were set.
  #rising(timeMs) {
    this.#offset ??= this.#timestamp + 1000 - timeMs;
    this.#timestamp = Math.max(timeMs + this.#offset, this.#timestamp + 1);
    return this.#timestamp;
  }

  close() {
    this.#landmarker?.close();
    this.#landmarker = null;
  }
}
