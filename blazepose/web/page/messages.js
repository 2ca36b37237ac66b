// Errors as one sentence with the next step.

const CAMERA = {
  NotAllowedError: 'The browser may not use the camera: allow it in the settings of this site, then press Camera again.',
  NotFoundError: 'There is no camera: connect one and press Camera again, or open a picture or a video.',
  OverconstrainedError: 'This camera is no longer there: choose another one.',
  NotReadableError: 'The camera cannot be read: close other programs that use it, then press Camera again.',
  InsecureError: 'Browsers give a camera only to pages of this machine (localhost) and to pages with https: open the page there.',
};

export function cameraMessage(name) {
  return CAMERA[name] ?? `The camera cannot be opened (${name}): open a picture or a video.`;
}

export function pictureMessage(name) {
  return `${name} cannot be read by this browser as a picture: convert it to PNG or JPEG.`;
}

export function videoMessage(name) {
  const command = `ffmpeg -i "${name}" -c:v libx264 -pix_fmt yuv420p -an converted.mp4`;
  return `${name} cannot be decoded by this browser: convert it with ${command}`;
}

export function fileMessage(name) {
  return `${name} is neither a picture nor a video: choose such a file; bundles are named on the command line.`;
}

export function bundleMessage(name, delegate, error) {
  const reason = error.message.split('\n')[0];
  const step = delegate === 'GPU' ? 'run it on the CPU' : 'write it anew with `blazepose export --target task`';
  return `${name} cannot be loaded by MediaPipe (${reason}): ${step}.`;
}

export function runMessage(name, error) {
  return `${name} failed in MediaPipe (${error.message.split('\n')[0]}): reload the page.`;
}
