// The page: sources, settings and the views of one or two bundles.

import {fileMessage} from './messages.js';
import {drawingStyle, poseOptions, settings} from './settings.js';
import {readPicture, requestCamera, VideoSource} from './source.js';
import {byId, showComparison, showError, showStatus} from './status.js';
import {View} from './view.js';

// Milliseconds over which the frame rate is counted.
const RATE_WINDOW = 2000;
const CHOOSE = 'Choose a source: camera, picture or video';

const video = byId('video');
const source = new VideoSource(video, (frame) => process(frame));

let views = [];
let site = null;
let picture = null; // its frame
let name = ''; // of the file or camera
let newest = null;
let lastMs = -Infinity;
let running = false; // while every frame is processed, which everyFrame then waits for
let everyFrame = Promise.resolve();
let shownAt = [];
let work = Promise.resolve();

// Everything that uses MediaPipe is done in turn; an error is shown, and ends nothing else.
function inTurn(task) {
  work = work.then(task).catch(showError);
  return work;
}

async function configure() {
  for (const view of views) await view.configure(poseOptions(picture ? 'IMAGE' : 'VIDEO'));
  lastMs = -Infinity;
  shownAt = [];
}

// Frames that come while an earlier one is processed are left out, but for the newest.
function process(frame) {
  newest = frame;
  return inTurn(async () => {
    if (frame !== newest) return;
    if (frame.timeMs !== null && frame.timeMs < lastMs) {
      // Back in the video: tracking begins anew.
      for (const view of views) await view.restart();
      if (frame !== newest) return;
    }
    lastMs = frame.timeMs ?? -Infinity;
    const poses = views.map((view) => view.show(frame, picture && name, drawingStyle(site)));
    showComparison(poses, site.landmarks);
    showRate();
    if (!picture && !source.isCamera) showPosition();
  });
}

function showRate() {
  const now = performance.now();
  shownAt = [...shownAt.filter((time) => now - time < RATE_WINDOW), now];
  const seconds = (now - shownAt[0]) / 1000;
  const isPlaying = running || !video.paused;
  const rate = ((shownAt.length - 1) / seconds).toFixed(1);
  byId('rate').textContent = isPlaying && seconds > 0.5 ? `${rate} frames/s` : '';
  if (byId('status').textContent !== name) showStatus(name);
}

function showPosition() {
  byId('position').max = video.duration;
  byId('position').value = lastMs / 1000;
  byId('time').textContent = `${(lastMs / 1000).toFixed(2)} of ${video.duration.toFixed(2)} s`;
}

// Runs on the shown frame again, after a change of settings.
function showAgain() {
  const frame = picture ?? source.frame;
  if (frame) process(frame);
}

function drawAgain() {
  for (const view of views) view.draw(drawingStyle(site));
}

// Opens a source in turn.
function open(title, opened) {
  running = false;
  showStatus(`Opening ${title}`);
  return inTurn(async () => {
    source.close();
    await everyFrame;
    newest = picture = null;
    name = title;
    byId('player').hidden = byId('cameras').hidden = true;
    await opened();
  });
}

async function openFile(file) {
  if (/^image\//.test(file.type)) {
    await open(file.name, async () => {
      picture = await readPicture(file);
      settings.mirror.checked = false;
      await configure();
    });
    showAgain();
  } else if (/^video\//.test(file.type)) {
    open(file.name, async () => {
      settings.mirror.checked = false;
      await configure();
      await source.openFile(file);
      byId('player').hidden = false;
    });
  } else {
    showError(new Error(fileMessage(file.name)));
  }
}

async function openCamera(deviceId) {
  running = false;
  source.close(); // a phone opens one camera at a time
  let stream;
  try {
    stream = await requestCamera(deviceId);
  } catch (error) {
    return showError(error);
  }
  open('Camera', async () => {
    await configure();
    const {facingMode, deviceId: used} = stream.getVideoTracks()[0].getSettings();
    settings.mirror.checked = facingMode !== 'environment';
    await source.openCamera(stream);
    const devices = (await navigator.mediaDevices.enumerateDevices()).filter(({kind}) => kind === 'videoinput');
    byId('cameras').replaceChildren(
      ...devices.map(({label, deviceId: id}) => new Option(label, id, false, id === used)),
    );
    byId('cameras').hidden = devices.length < 2;
  });
}

function showPlaying() {
  const isPlaying = running || !video.paused;
  byId('play').textContent = isPlaying ? 'Pause' : 'Play';
  if (!isPlaying) byId('rate').textContent = '';
}

async function processEvery() {
  running = true;
  showPlaying();
  let more = await source.step();
  if (running && !more) {
    // From the end, it begins anew.
    await source.seek(0);
    more = true;
  }
  while (running && more) {
    await work;
    more = running && (await source.step());
  }
  running = false;
  showPlaying();
}

function togglePlay() {
  if (running) running = false;
  else if (!video.paused) video.pause();
  else if (byId('every').checked) everyFrame = processEvery();
  else video.play().catch((error) => error.name === 'AbortError' || showError(error)); // AbortError: paused at once
}

// Stops, so that one frame can be shown.
async function stop() {
  running = false;
  video.pause();
  await everyFrame;
}

function listen() {
  window.onresize = drawAgain; // lines have a width on the screen
  byId('camera').onclick = () => openCamera();
  byId('cameras').onchange = ({target}) => openCamera(target.value);
  byId('file').onchange = ({target}) => {
    if (target.files.length) openFile(target.files[0]);
    target.value = ''; // so that the same file can be chosen again
  };
  document.ondragover = (event) => event.preventDefault();
  document.ondragenter = () => document.body.classList.add('dropping');
  document.ondragleave = ({relatedTarget}) => {
    if (!relatedTarget) document.body.classList.remove('dropping');
  };
  document.ondrop = (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    if (event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
  };
  byId('play').onclick = togglePlay;
  video.onplay = video.onpause = showPlaying;
  byId('step').onclick = async () => {
    await stop();
    await source.step();
  };
  byId('position').oninput = async ({target}) => {
    const seconds = target.valueAsNumber;
    running = false;
    await everyFrame;
    lastMs = Infinity; // a jump, also forward
    await source.seek(seconds);
  };
  byId('settings').oninput = ({target}) => {
    if (target.type === 'range') target.parentElement.querySelector('output').value = target.valueAsNumber.toFixed(2);
  };
  byId('settings').onchange = ({target}) => {
    if (['skeleton', 'mirror'].includes(target.name)) return drawAgain();
    if (!target.checkValidity()) return target.reportValidity();
    showStatus('Setting up MediaPipe');
    inTurn(async () => {
      await configure();
      showStatus(name || CHOOSE);
    }).then(showAgain);
  };
}

async function start() {
  site = await (await fetch(new URL('site.json', import.meta.url))).json();
  views = site.bundles.map((bundle) => new View(bundle, byId('stage')));
  for (const view of views) view.download.onclick = () => view.save(`${name}-${view.bundle.name}.jsonl`);
  showStatus('Loading MediaPipe and the bundles');
  await configure();
  listen();
  for (const id of ['sources', 'settings']) byId(id).disabled = false;
  showStatus(CHOOSE);
}

// Ends MediaPipe; the page is of no use afterwards.
export function close() {
  source.close();
  for (const view of views) view.close();
}

export const ready = start().catch(showError);
