// Pictures, and the frames of a video element that plays a file or a camera.

import {cameraMessage, pictureMessage, videoMessage} from './messages.js';

// Seconds; less than a frame, at any rate up to 120 frames per second.
const SHORT_STEP = 1 / 120;
const MAX_STEPS = 240;
// Milliseconds after which a seek that shows no other frame is over.
const SEEK_WAIT = 250;

// A frame {image, width, height, timeMs: null}.
export async function readPicture(file) {
  try {
    // The pixels as they are stored, which is what MediaPipe in Python reads.
    const image = await createImageBitmap(file, {colorSpaceConversion: 'none', premultiplyAlpha: 'none'});
    return {image, width: image.width, height: image.height, timeMs: null};
  } catch {
    throw new Error(pictureMessage(file.name));
  }
}

// The stream of a camera, once the user allows it; deviceId is undefined for any.
export async function requestCamera(deviceId) {
  const choice = deviceId ? {deviceId: {exact: deviceId}} : {};
  try {
    if (!navigator.mediaDevices) throw new DOMException('', 'InsecureError');
    const video = {width: {ideal: 1280}, height: {ideal: 720}, ...choice};
    return await navigator.mediaDevices.getUserMedia({video, audio: false});
  } catch (error) {
    throw new Error(cameraMessage(error.name));
  }
}

export class VideoSource {
  #onFrame;
  #still = document.createElement('canvas');
  #callback = 0;
  #start = null;
  #duration = null;
  #seconds = -1;
  #shown = () => {};
  // The frame that is shown, null before the first.
  frame = null;

  // onFrame(frame) gets each frame that the element shows: {image, width, height, timeMs}.
  constructor(video, onFrame) {
    this.video = video;
    this.#onFrame = onFrame;
  }

  get isCamera() {
    return Boolean(this.video.srcObject);
  }

  async openFile(file) {
    this.close();
    this.video.src = URL.createObjectURL(file);
    try {
      await new Promise((resolve, reject) => {
        Object.assign(this.video, {onloadeddata: resolve, onerror: reject});
      });
      if (!this.video.videoWidth) throw new Error('only sound');
    } catch {
      this.close();
      throw new Error(videoMessage(file.name));
    }
    this.#listen();
  }

  async openCamera(stream) {
    this.close();
    this.video.srcObject = stream;
    this.#listen();
    await this.video.play();
  }

  #listen() {
    this.#callback = this.video.requestVideoFrameCallback((now, {mediaTime}) => {
      this.#start ??= now;
      const seconds = this.isCamera ? (now - this.#start) / 1000 : mediaTime;
      if (seconds !== this.#seconds) this.#copy(seconds);
      this.#shown();
      this.#listen();
    });
  }

  // The element may show its next frame while this one is processed.
  #copy(seconds) {
    const {videoWidth: width, videoHeight: height} = this.video;
    if (this.#still.width !== width || this.#still.height !== height) Object.assign(this.#still, {width, height});
    this.#still.getContext('2d').drawImage(this.video, 0, 0);
    this.#seconds = seconds;
    this.frame = {image: this.#still, width, height, timeMs: seconds * 1000};
    this.#onFrame(this.frame);
  }

  // Shows the frame at a time.
  async seek(seconds) {
    if (!this.frame) return;
    const shown = new Promise((resolve) => {
      this.#shown = resolve;
      this.video.onseeked = () => setTimeout(resolve, SEEK_WAIT);
    });
    this.video.currentTime = seconds;
    await shown;
  }

  // Shows the next frame; false at the end. A browser has no such function: the first step finds the length of a
  // frame by shorter steps, and the others assume it.
  async step() {
    const start = this.#seconds;
    for (let k = 1; k <= MAX_STEPS; k++) {
      const target = start + (this.#duration ? (k + 0.5) * this.#duration : k * SHORT_STEP);
      if (target >= this.video.duration) return false;
      await this.seek(target);
      if (!this.frame) return false; // closed meanwhile
      if (this.#seconds > start) {
        this.#duration ??= this.#seconds - start;
        return true;
      }
    }
    return false;
  }

  close() {
    this.video.cancelVideoFrameCallback(this.#callback);
    for (const track of this.video.srcObject?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
    if (this.video.src) {
      URL.revokeObjectURL(this.video.src);
      this.video.removeAttribute('src');
      this.video.load();
    }
    Object.assign(this.video, {onloadeddata: null, onerror: null, onseeked: null});
    this.#start = this.#duration = this.frame = null;
    this.#seconds = -1;
    this.#shown();
  }
}
