// A frame with masks, skeletons and ids on a canvas; colors and widths are those of `blazepose track`.

import {CONNECTIONS} from './landmarker.js';
import {extent} from './poses.js';

const MIN_VISIBILITY = 0.5;
const FAINT = 0.3;
const TINT = [120, 255, 120];
const TINT_ALPHA = 0.35;

// frame: {image, width, height}; poses: of toPixels; masks: MediaPipe's; style: {colors, sides, skeleton, mirror}.
export function drawFrame(canvas, frame, poses, masks, style) {
  const {width, height} = frame;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  const context = canvas.getContext('2d');
  context.setTransform(style.mirror ? -1 : 1, 0, 0, 1, style.mirror ? width : 0, 0);
  context.drawImage(frame.image, 0, 0, width, height);
  for (const mask of masks) drawMask(context, mask, width, height);
  if (!style.skeleton) return;
  const pixel = Math.max(width / canvas.clientWidth, height / canvas.clientHeight); // of the screen
  for (const pose of poses) drawSkeleton(context, pose, style, Math.max(2.5 * pixel, extent(pose) / 120));
  context.setTransform(1, 0, 0, 1, 0, 0);
  if (poses.length > 1) for (const pose of poses) drawId(context, pose, style.mirror && width, 16 * pixel);
}

function drawMask(context, mask, width, height) {
  const layer = document.createElement('canvas');
  Object.assign(layer, {width: mask.width, height: mask.height});
  const pixels = new ImageData(mask.width, mask.height);
  const values = mask.getAsFloat32Array();
  for (let k = 0; k < values.length; k++) {
    pixels.data[4 * k] = TINT[0];
    pixels.data[4 * k + 1] = TINT[1];
    pixels.data[4 * k + 2] = TINT[2];
    pixels.data[4 * k + 3] = 255 * TINT_ALPHA * values[k];
  }
  layer.getContext('2d').putImageData(pixels, 0, 0);
  context.drawImage(layer, 0, 0, width, height);
}

function drawSkeleton(context, {landmarks}, {colors, sides}, lineWidth) {
  const color = (a, b) => colors[sides[a] === sides[b] ? sides[a] : 'middle'];
  const alpha = (...points) => (points.every((k) => landmarks[k][3] >= MIN_VISIBILITY) ? 1 : FAINT);
  context.lineCap = 'round';
  for (const outline of [true, false]) {
    // All outlines first, so that none cuts through another line.
    for (const {start, end} of CONNECTIONS) {
      context.globalAlpha = alpha(start, end);
      context.strokeStyle = outline ? 'black' : color(start, end);
      context.lineWidth = lineWidth * (outline ? 2 : 1);
      context.beginPath();
      context.moveTo(landmarks[start][0], landmarks[start][1]);
      context.lineTo(landmarks[end][0], landmarks[end][1]);
      context.stroke();
    }
    landmarks.forEach(([x, y], k) => {
      context.globalAlpha = alpha(k);
      context.fillStyle = outline ? 'black' : color(k, k);
      context.beginPath();
      context.arc(x, y, lineWidth * (outline ? 1.5 : 1), 0, 2 * Math.PI);
      context.fill();
    });
  }
  context.globalAlpha = 1;
}

// Written above the head, never mirrored.
function drawId(context, {id, landmarks}, mirrored, size) {
  const x = landmarks.reduce((sum, point) => sum + point[0], 0) / landmarks.length;
  const y = Math.max(size, Math.min(...landmarks.map((point) => point[1])) - size / 2);
  context.font = `bold ${size}px system-ui, sans-serif`;
  context.textAlign = 'center';
  context.lineWidth = size / 4;
  context.strokeStyle = 'black';
  context.fillStyle = 'white';
  for (const write of ['strokeText', 'fillText']) context[write](id, mirrored ? mirrored - x : x, y);
}
