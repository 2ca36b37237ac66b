// Poses in pixels of the image: conversion, ids over time, distances between two bundles.

// Poses further apart than this share of the larger one are of different people.
const MAX_DISTANCE = 0.5;
// That of `blazepose track`.
const MAX_LOST_MS = 1000;

// Landmarks as [x, y, z, visibility, presence]: x, y in pixels, z on their scale; world in meters.
export function toPixels(result, width, height) {
  return result.landmarks.map((landmarks, number) => ({
    id: null,
    landmarks: landmarks.map((p) => [p.x * width, p.y * height, p.z * width, p.visibility, p.presence ?? null]),
    world: result.worldLandmarks[number].map((p) => [p.x, p.y, p.z]),
  }));
}

export function distances(a, b) {
  return a.landmarks.map(([x, y], k) => Math.hypot(x - b.landmarks[k][0], y - b.landmarks[k][1]));
}

export function extent(pose) {
  const sides = [0, 1].map((axis) => pose.landmarks.map((point) => point[axis]));
  return Math.max(...sides.map((values) => Math.max(...values) - Math.min(...values)));
}

// Pairs [pose of a, pose of b] of the same people: the nearest first, each pose once.
export function matchPoses(a, b) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const pairs = a
    .flatMap((first) => b.map((second) => ({first, second, distance: mean(distances(first, second))})))
    .filter(({first, second, distance}) => distance < MAX_DISTANCE * Math.max(extent(first), extent(second)))
    .sort((one, other) => one.distance - other.distance);
  const used = new Set();
  const matched = [];
  for (const {first, second} of pairs) {
    if (!used.has(first) && !used.has(second)) {
      used.add(first).add(second);
      matched.push([first, second]);
    }
  }
  return matched;
}

// MediaPipe returns no ids. A pose gets that of the nearest earlier one of the last second, or a new id.
export class PoseIds {
  #earlier = []; // {pose, timeMs}, the last of each id
  #next = 0;

  assign(poses, timeMs) {
    const recent = this.#earlier.filter((last) => timeMs - last.timeMs <= MAX_LOST_MS);
    for (const [before, now] of matchPoses(recent.map(({pose}) => pose), poses)) now.id = before.id;
    for (const pose of poses) pose.id ??= this.#next++;
    const lost = recent.filter((last) => poses.every(({id}) => id !== last.pose.id));
    this.#earlier = [...lost, ...poses.map((pose) => ({pose, timeMs}))];
  }
}

// Distances between the landmarks of two bundles, in pixels, over the people that both detect; null without any.
export function compare(a, b) {
  const found = matchPoses(a, b).flatMap(([first, second]) =>
    distances(first, second).map((px, landmark) => ({px, landmark, id: first.id})),
  );
  if (!found.length) return null;
  found.sort((one, other) => one.px - other.px);
  const middle = found.length / 2;
  const median = (found[Math.ceil(middle) - 1].px + found[Math.floor(middle)].px) / 2;
  return {median, largest: found.at(-1), people: found.length / a[0].landmarks.length};
}
