// What the page reports: its state, errors, the distance between two bundles, blocked requests.

import {compare} from './poses.js';

const blocked = new Map();

export const byId = (id) => document.getElementById(id);

export function showError(error) {
  byId('status').textContent = byId('rate').textContent = '';
  byId('alert').textContent = error.message;
  byId('alert').hidden = false;
}

export function showStatus(text) {
  byId('alert').hidden = true;
  byId('status').textContent = text;
  byId('rate').textContent = '';
}

// poses: those of each bundle; names: of the landmarks.
export function showComparison([first, second], names) {
  const found = second && compare(first, second);
  byId('comparison').hidden = !second;
  if (!second) return;
  const {landmark, px, id} = found?.largest ?? {};
  const where = found?.people > 1 ? ` of person ${id}` : '';
  byId('comparison').textContent = found
    ? `Distance between the two: ${found.median.toFixed(1)} px (median), ` +
      `${px.toFixed(1)} px (largest, ${names[landmark].replaceAll('_', ' ')}${where})`
    : 'Distance between the two: no person whom both detect';
}

document.addEventListener('securitypolicyviolation', ({blockedURI}) => {
  blocked.set(blockedURI, (blocked.get(blockedURI) ?? 0) + 1);
  const requests = [...blocked].map(([address, count]) => `${count} to ${address}`);
  byId('blocked').textContent = `Requests that this page has blocked: ${requests.join(', ')}`;
});
