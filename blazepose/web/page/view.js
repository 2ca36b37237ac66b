// A bundle on the page: its canvas, its numbers, its landmarks for download.

import {drawFrame} from './draw.js';
import {BundleLandmarker} from './landmarker.js';
import {bundleMessage, runMessage} from './messages.js';
import {PoseIds, toPixels} from './poses.js';
import {MAX_FRAMES, Recording} from './recording.js';

// Frames whose median time is shown.
const MEASURED = 15;

export class View {
  #landmarker;
  #ids = new PoseIds();
  #recording = new Recording();
  #times = [];
  #shown = null;
  #failure = null;

  // bundle: of site.json.
  constructor(bundle, parent) {
    this.bundle = bundle;
    this.#landmarker = new BundleLandmarker(new URL(bundle.file, import.meta.url).href);
    const add = (name, to, properties) => to.appendChild(Object.assign(document.createElement(name), properties));
    const figure = add('figure', parent, {});
    const caption = add('figcaption', figure, {});
    add('strong', caption, {textContent: bundle.name});
    add('span', caption, {textContent: bundle.description, className: 'hint'});
    this.numbers = add('span', caption, {className: 'numbers'});
    this.download = add('button', caption, {type: 'button', hidden: true});
    this.canvas = add('canvas', figure, {width: 640, height: 360});
    this.canvas.setAttribute('role', 'img');
    this.canvas.setAttribute('aria-label', `Poses of ${bundle.name}`);
  }

  async configure(options) {
    this.#failure = null;
    try {
      await this.#landmarker.configure(options);
    } catch (error) {
      this.#failure = new Error(bundleMessage(this.bundle.name, options.delegate, error));
      throw this.#failure;
    }
    this.#forget();
  }

  async restart() {
    await this.#landmarker.restart();
    this.#forget();
  }

  #forget() {
    this.#ids = new PoseIds();
    this.#times = [];
    this.clear();
  }

  // Drops the recorded landmarks.
  clear() {
    this.#recording.clear();
    this.download.hidden = true;
  }

  // Returns the poses. name: the file of a picture, null for others; style: of drawFrame.
  show(frame, name, style) {
    if (this.#failure) throw this.#failure;
    let detected;
    try {
      detected = this.#landmarker.detect(frame.image, frame.timeMs);
    } catch (error) {
      throw new Error(runMessage(this.bundle.name, error));
    }
    const {result, ms} = detected;
    const poses = toPixels(result, frame.width, frame.height);
    this.#ids.assign(poses, frame.timeMs);
    this.#shown?.result.close();
    this.#shown = {frame, poses, result};
    this.draw(style);
    this.#recording.add(frame, poses, name);
    if (ms !== null) this.#times = [...this.#times, ms].slice(-MEASURED);
    this.#describe(poses.length);
    return poses;
  }

  // Draws the last result.
  draw(style) {
    if (!this.#shown) return;
    const {frame, poses, result} = this.#shown;
    drawFrame(this.canvas, frame, poses, result.segmentationMasks ?? [], style);
  }

  #describe(people) {
    const sorted = [...this.#times].sort((a, b) => a - b);
    const time = sorted.length ? `, ${sorted[sorted.length >> 1].toFixed(0)} ms` : '';
    this.numbers.textContent = `${people} ${people === 1 ? 'person' : 'people'}${time}`;
    const {frames} = this.#recording;
    const full = frames >= MAX_FRAMES ? ', the limit' : '';
    this.download.textContent = `Download landmarks (${frames} ${frames === 1 ? 'frame' : 'frames'}${full})`;
    this.download.hidden = false;
  }

  save(name) {
    this.#recording.save(name);
  }

  close() {
    this.#landmarker.close();
  }
}
