// What is said before and while a file is sent.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  describeFiles,
  describeProgress,
  modelAmong,
  modelNameOf,
  refusalOf,
  refusalOfFiles,
  refusalOfModel,
  speedOf,
} from "../../static/js/upload.js";

const limits = { limitBytes: 2e9, quotaLeftBytes: 20e9 };

test("a good file is not refused", () => {
  assert.equal(refusalOf({ name: "a.onnx", size: 5 }, limits), "");
});

test("an empty file is refused before it is sent", () => {
  assert.match(refusalOf({ name: "a.onnx", size: 0 }, limits), /is empty \(0 bytes\)/);
});

test("a file over the site's limit is refused with both sizes", () => {
  const sentence = refusalOf({ name: "a.onnx", size: 3e9 }, limits);

  assert.match(sentence, /has 3 GB\. You may upload 2 GB, the most that this site takes/);
});

test("a file over what is left of the quota is told so", () => {
  const sentence = refusalOf({ name: "a.onnx", size: 3e9 }, { limitBytes: 1e9, quotaLeftBytes: 1e9 });

  assert.match(sentence, /left of your quota/);
});

test("a model is named after its file", () => {
  assert.equal(modelNameOf("resnet50.v2.onnx"), "resnet50.v2");
  assert.equal(modelNameOf(".onnx"), ".onnx");
  assert.equal(modelNameOf("x".repeat(300)).length, 120);
});

test("the speed is that of the last seconds", () => {
  const notes = [
    { atMs: 0, bytes: 0 },
    { atMs: 10_000, bytes: 1e6 },
    { atMs: 14_000, bytes: 9e6 },
  ];

  assert.equal(speedOf(notes), 2e6);
});

test("there is no speed yet at the first note", () => {
  assert.equal(speedOf([{ atMs: 0, bytes: 100 }]), null);
});

test("progress names bytes, speed and time left", () => {
  assert.equal(
    describeProgress({ bytes: 10e6, totalBytes: 40e6, speed: 5e6 }),
    "10 MB of 40 MB · 5 MB/s · 6 s left",
  );
});

test("when all is sent the page says that it is being stored", () => {
  assert.equal(
    describeProgress({ bytes: 40e6, totalBytes: 40e6, speed: 5e6 }),
    "40 MB of 40 MB · all sent, being stored",
  );
});

test("real inputs are one archive, or arrays one by one", () => {
  const array = (name, size = 10) => ({ name, size });
  const room = { limitBytes: 25 };

  assert.equal(refusalOfFiles([], room), "");
  assert.equal(refusalOfFiles([array("a.npz")], room), "");
  assert.equal(refusalOfFiles([array("a.npy"), array("b.NPY")], room), "");
  assert.match(refusalOfFiles([array("a.npz"), array("b.npy")], room), /not both/);
  assert.match(refusalOfFiles([array("a.onnx")], room), /“a.onnx” is neither/);
  assert.match(refusalOfFiles([array("a.npy", 0)], room), /“a.npy” is empty/);
  assert.match(refusalOfFiles([array("a.npy", 20), array("b.npy", 20)], room), /have 40 B.*upload 25 B/);
});

test("a model is one file, one zip, or one .onnx file with its data", () => {
  const file = (name, size = 10) => ({ name, size });
  const room = { limitBytes: 25, quotaLeftBytes: 100 };

  assert.equal(refusalOfModel([file("a.onnx")], room), "");
  assert.equal(refusalOfModel([file("a.zip")], room), "");
  assert.equal(refusalOfModel([file("w.bin"), file("a.ONNX")], room), "");
  assert.match(refusalOfModel([file("a.onnx", 30)], room), /You may upload 25 B/);
  assert.match(refusalOfModel([file("a.onnx"), file("b.onnx")], room), /“a.onnx” and “b.onnx” are two/);
  assert.match(refusalOfModel([file("a.bin"), file("b.bin")], room), /None of these files/);
  assert.match(refusalOfModel([file("a.onnx"), file("b.zip")], room), /either one .zip/);
  assert.match(refusalOfModel([file("a.onnx"), file("w", 0)], room), /“w” is empty/);
  assert.match(refusalOfModel([file("a.onnx"), file("w", 20)], room), /“a.onnx and its data” has 30 B/);
  const many = Array.from({ length: 100 }, (_, number) => file(`w${number}`, 0.1));
  assert.match(refusalOfModel([file("a.onnx"), ...many], room), /101 files.*one .zip/);
});

test("files are told of by their model and their size", () => {
  const files = [
    { name: "w.bin", size: 1e6 },
    { name: "net.onnx", size: 1e6 },
    { name: "v.bin", size: 1e6 },
  ];

  assert.equal(describeFiles(files), "net.onnx and 2 data files, 3 MB");
  assert.equal(describeFiles(files.slice(0, 2)), "net.onnx and 1 data file, 2 MB");
  assert.equal(describeFiles(files.slice(0, 1)), "w.bin, 1 MB");
  assert.equal(modelAmong(files).name, "net.onnx");
});
