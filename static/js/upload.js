// What is known of an upload before and while it goes: whether it may, how fast it is.

import { formatQuantity } from "./format.js";

const NAME_LENGTH = 120;
// Speed is looked at over the last few seconds: a line's speed changes.
const WINDOW_MS = 5000;

// Why a file cannot be uploaded, in a sentence; empty when it can.
export function refusalOf({ name, size }, { limitBytes, quotaLeftBytes }) {
  if (size === 0) {
    return `“${name}” is empty (0 bytes). Export the model again and choose that file.`;
  }
  if (size > limitBytes) {
    const why =
      quotaLeftBytes <= limitBytes
        ? "which is what is left of your quota: delete models that you no longer need"
        : "the most that this site takes: a smaller or quantised export may fit";
    return `“${name}” has ${formatQuantity(size, "B")}. You may upload ${formatQuantity(limitBytes, "B")}, ${why}.`;
  }
  return "";
}

// "resnet50" for "resnet50.onnx".
export function modelNameOf(fileName) {
  const stem = fileName.replace(/\.[^.]*$/, "") || fileName;
  return stem.slice(0, NAME_LENGTH);
}

// How fast bytes have been going lately, from {atMs, bytes} notes in their order.
export function speedOf(notes) {
  const last = notes.at(-1);
  const recent = notes.find(({ atMs }) => last.atMs - atMs <= WINDOW_MS);
  const elapsedS = (last.atMs - recent.atMs) / 1000;
  return elapsedS > 0.2 ? (last.bytes - recent.bytes) / elapsedS : null;
}

// "12.3 MB of 45 MB · 5.1 MB/s · 6 s left"
export function describeProgress({ bytes, totalBytes, speed }) {
  const parts = [`${formatQuantity(bytes, "B")} of ${formatQuantity(totalBytes, "B")}`];
  if (bytes >= totalBytes) {
    parts.push("all sent, being stored");
  } else if (speed) {
    parts.push(`${formatQuantity(speed, "B")}/s`);
    parts.push(`${formatQuantity(Math.ceil((totalBytes - bytes) / speed), "s")} left`);
  }
  return parts.join(" · ");
}

// Why files of real inputs cannot be sent, in a sentence; empty when they can.
export function refusalOfFiles(files, limits) {
  const isArchive = ({ name }) => /\.npz$/i.test(name);
  const stranger = files.find(({ name }) => !/\.np[yz]$/i.test(name));
  if (stranger) {
    return `“${stranger.name}” is neither an .npz nor an .npy file. Save the arrays with numpy.savez.`;
  }
  if (files.length > 1 && files.some(isArchive)) {
    return "Send either one .npz, or .npy files, one per input; not both.";
  }
  const empty = files.find(({ size }) => size === 0);
  if (empty) {
    return `“${empty.name}” is empty (0 bytes). Save the array again and choose that file.`;
  }
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return bytes > limits.limitBytes
    ? `Together the files have ${formatQuantity(bytes, "B")}. You may upload ${formatQuantity(limits.limitBytes, "B")} now.`
    : "";
}

const isModel = ({ name }) => /\.onnx$/i.test(name);
const isZip = ({ name }) => /\.zip$/i.test(name);
// What one request may hold; a zip may hold more.
const FILES_AT_ONCE = 100;

// Why the files of a model cannot be uploaded, in a sentence; empty when they can.
export function refusalOfModel(files, limits) {
  if (files.length === 1) {
    return refusalOf(files[0], limits);
  }
  if (files.some(isZip)) {
    return "Choose either one .zip, or the .onnx file and its data files.";
  }
  const models = files.filter(isModel);
  if (models.length !== 1) {
    return models.length === 0
      ? "None of these files is an .onnx file. Choose the model together with its data files."
      : `“${models[0].name}” and “${models[1].name}” are two models. Upload each by itself.`;
  }
  if (files.length > FILES_AT_ONCE) {
    return `These are ${files.length} files, and ${FILES_AT_ONCE} can be sent at once. Put them into one .zip.`;
  }
  const empty = files.find(({ size }) => size === 0);
  if (empty) {
    return `“${empty.name}” is empty (0 bytes). Save the model again and choose all its files.`;
  }
  return refusalOf({ name: `${models[0].name} and its data`, size: bytesOf(files) }, limits);
}

// "resnet.onnx and 2 data files, 1.2 GB"
export function describeFiles(files) {
  const size = formatQuantity(bytesOf(files), "B");
  const others = files.length - 1;
  if (others === 0) {
    return `${files[0].name}, ${size}`;
  }
  return `${modelAmong(files).name} and ${others} data file${others === 1 ? "" : "s"}, ${size}`;
}

// The file that a model is called after.
export function modelAmong(files) {
  return files.find(isModel) ?? files[0];
}

function bytesOf(files) {
  return files.reduce((sum, { size }) => sum + size, 0);
}
