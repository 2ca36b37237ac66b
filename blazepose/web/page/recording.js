// Landmarks of the processed frames, as the JSON lines of `blazepose track --landmarks`.

// Chosen: an hour at 10 frames per second, about 100 MB of memory for one person.
export const MAX_FRAMES = 36_000;
const DECIMALS = 5;

export class Recording {
  #lines = [];

  get frames() {
    return this.#lines.length;
  }

  // image: name of a picture, null for a video. MediaPipe for browsers returns no pose presence and no ROI.
  add(frame, poses, image) {
    if (this.#lines.length >= MAX_FRAMES) return;
    const record = {frame: this.#lines.length, time_ms: frame.timeMs, ...(image && {image})};
    const people = poses.map(({id, landmarks, world}) => ({
      id,
      landmarks,
      landmarks_world: world,
      pose_presence: null,
      roi: null,
    }));
    this.#lines.push(JSON.stringify({...record, poses: people}, round));
  }

  clear() {
    this.#lines = [];
  }

  save(name) {
    const address = URL.createObjectURL(new Blob(this.#lines.map((line) => `${line}\n`), {type: 'application/jsonl'}));
    const link = Object.assign(document.createElement('a'), {href: address, download: name});
    link.click();
    // Some browsers begin to read it after the click.
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
}

function round(key, value) {
  return typeof value === 'number' ? Number(value.toFixed(DECIMALS)) : value;
}
