import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Config, FileToUpload, Posts } from "../../api/types";
import type { ImageFile } from "./files";
import { Uploads, isBusy } from "./uploads";

const CONFIG = { image_types: ["image/png"], image_bytes: 100 } as Config;

/** What the storage answers, by the name of the file; 204 unless a test says otherwise. */
let storage: (name: string) => Response | Promise<Response>;
let requests: FileToUpload[][];
let atOnce: number[];

function image(name: string, type = "image/png"): ImageFile {
  return { name, file: new File(["x"], name, { type }) };
}

function images(count: number): ImageFile[] {
  return Array.from({ length: count }, (_, number) => image(`${number}.png`));
}

function requestPosts(files: FileToUpload[]): Promise<Posts> {
  requests.push(files);
  const posts = files.map(({ name }) => ({ name, url: `https://storage/${name}`, fields: { key: name } }));
  return Promise.resolve({ posts });
}

/** Everything that `files` come to, once nothing is on its way any more. */
async function upload(files: ImageFile[], request = requestPosts, loadConfig = () => Promise.resolve(CONFIG)) {
  const uploads = new Uploads(loadConfig);
  const batches = vi.fn();
  const sent = uploads.add({ files, unreadable: [] }, request, batches);
  await vi.runAllTimersAsync();
  await sent;
  return { uploads, batches, ...uploads.current() };
}

beforeEach(() => {
  vi.useFakeTimers();
  requests = [];
  atOnce = [];
  storage = () => new Response(null, { status: 204 });
  let running = 0;
  vi.stubGlobal("fetch", async (_: string, { body }: { body: FormData }) => {
    atOnce.push(++running);
    await new Promise((resolve) => setTimeout(resolve, 10));
    running--;
    return storage(body.get("key") as string);
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("all files arrive, asked for by the hundred and sent five at a time", async () => {
  const { total, sent, failures, batches, uploads } = await upload(images(250));

  expect([total, sent, failures.length]).toEqual([250, 250, 0]);
  expect(requests.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(Math.max(...atOnce)).toBe(5);
  expect(batches).toHaveBeenCalledTimes(3);
  expect(isBusy(uploads.current())).toBe(false);
});

test("a request names each file with its label, size and type", async () => {
  await upload([{ ...image("1.png"), label: "cat" }]);

  expect(requests).toEqual([[{ name: "1.png", label: "cat", size: 1, type: "image/png" }]]);
});

test("a file that is no image is never asked for", async () => {
  const { failures, sent } = await upload([image("a.txt", "text/plain"), image("1.png")]);

  expect(failures).toMatchObject([{ name: "a.txt" }]);
  expect(failures[0]?.retry).toBeUndefined();
  expect(sent).toBe(1);
});

test("a file that Loupe refuses stops no other, and cannot be tried again", async () => {
  const { failures, sent } = await upload(images(2), () =>
    Promise.resolve({
      posts: [
        { name: "0.png", error: "It is no file name." },
        { name: "1.png", url: "https://storage", fields: { key: "1.png" } },
      ],
    }),
  );

  expect(failures).toEqual([{ name: "0.png", reason: "It is no file name." }]);
  expect(sent).toBe(1);
});

test("a file that the storage refuses says why, and can be tried again", async () => {
  storage = () => new Response("<Error><Message>Too slow</Message></Error>", { status: 403 });
  const [file] = images(1) as [ImageFile];

  const { failures } = await upload([file]);

  expect(failures).toEqual([
    { name: "0.png", reason: "The storage refused it: Too slow.", retry: file },
  ]);
  expect(atOnce.length).toBe(1);
});

test.each([
  ["a server error", () => new Response(null, { status: 503 })],
  ["a lost connection", () => Promise.reject(new TypeError("Failed to fetch"))],
])("%s is tried again", async (_, failure) => {
  let attempts = 0;
  storage = () => (++attempts < 4 ? failure() : new Response(null, { status: 204 }));

  expect(await upload(images(1))).toMatchObject({ sent: 1, failures: [] });
});

test("a connection that stays lost is given up after four attempts", async () => {
  storage = () => new Response(null, { status: 500 });

  const { failures } = await upload(images(1));

  expect(failures).toMatchObject([{ reason: "The connection broke off." }]);
  expect(atOnce.length).toBe(4);
});

test("a request that fails fails its hundred; the next hundred is sent", async () => {
  let count = 0;
  const { sent, failures } = await upload(images(150), (files) =>
    ++count === 1 ? Promise.reject(new Error("Loupe is busy.")) : requestPosts(files),
  );

  expect([sent, failures.length]).toEqual([50, 100]);
  expect(failures[0]).toMatchObject({ reason: "Loupe is busy.", retry: { name: "0.png" } });
});

test("without Loupe's configuration nothing is sent, and all can be tried again", async () => {
  const { failures } = await upload(images(2), requestPosts, () =>
    Promise.reject(new Error("Loupe cannot be reached.")),
  );

  expect(requests).toEqual([]);
  expect(failures.map(({ reason, retry }) => [reason, retry?.name])).toEqual([
    ["Loupe cannot be reached.", "0.png"],
    ["Loupe cannot be reached.", "1.png"],
  ]);
});

test("what is added while files are on their way counts with them; after that it begins anew", async () => {
  const uploads = new Uploads(() => Promise.resolve(CONFIG));
  const add = (count: number) =>
    uploads.add({ files: images(count), unreadable: [] }, requestPosts, () => undefined);

  const both = Promise.all([add(2), add(3)]);
  await vi.runAllTimersAsync();
  await both;
  expect(uploads.current()).toEqual({ total: 5, sent: 5, failures: [] });

  const third = add(1);
  expect(uploads.current().total).toBe(1);
  await vi.runAllTimersAsync();
  await third;
});

test("failures that are forgotten count no more", async () => {
  const { uploads } = await upload([image("a.txt", "text/plain"), image("1.png")]);

  uploads.forgetFailures();

  expect(uploads.current()).toEqual({ total: 1, sent: 1, failures: [] });
});
