// The settings of the page, as options of MediaPipe and as the style of the drawing.

export const settings = document.getElementById('settings').elements;

const NUMBERS = ['minPoseDetectionConfidence', 'minPosePresenceConfidence', 'minTrackingConfidence', 'numPoses'];

// Options of BundleLandmarker.
export function poseOptions(runningMode) {
  return {
    ...Object.fromEntries(NUMBERS.map((key) => [key, settings[key].valueAsNumber])),
    delegate: settings.delegate.value,
    outputSegmentationMasks: settings.mask.checked,
    runningMode,
  };
}

// The style of drawFrame. site: of site.json.
export function drawingStyle(site) {
  const sides = site.landmarks.map((landmark) => /left|right/.exec(landmark)?.[0] ?? 'middle');
  const {skeleton, mirror} = settings;
  return {colors: site.colors, sides, skeleton: skeleton.checked, mirror: mirror.checked};
}
