/** Files on their way to S3: straight from the browser, a few at a time, each by its own post. */

import type { FileToUpload, Posts, PresignedPost } from "../../api/types";
import type { Failure, ImageFile } from "./files";

export type RequestPosts = (files: FileToUpload[]) => Promise<Posts>;

/** At most so many files in one request for presigned posts. */
export const POSTS_PER_REQUEST = 100;
const AT_ONCE = 5;
const ATTEMPTS = 4;

/** Send `files`; `report` hears of each that has arrived or failed, `batchDone` of each hundred. */
export async function send(
  files: ImageFile[],
  requestPosts: RequestPosts,
  report: (failure?: Failure) => void,
  batchDone: () => void,
): Promise<void> {
  for (let start = 0; start < files.length; start += POSTS_PER_REQUEST) {
    const batch = files.slice(start, start + POSTS_PER_REQUEST);
    let posts: PresignedPost[];
    try {
      ({ posts } = await requestPosts(
        batch.map(({ file, name, label }) => ({ name, label, size: file.size, type: file.type })),
      ));
    } catch (error) {
      const { message: reason } = error as Error;
      for (const image of batch) report({ name: image.name, reason, retry: image });
      continue;
    }
    const waiting = batch.map((image, number) => ({ image, post: posts[number] }));
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        report(await sendOne(next.image, next.post));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    batchDone();
  }
}

/** Why it failed, if it did. */
async function sendOne(
  image: ImageFile,
  post: PresignedPost | undefined,
): Promise<Failure | undefined> {
  const { file, name } = image;
  if (!post) return { name, reason: "Loupe returned no upload form for it.", retry: image };
  if ("error" in post) return { name, reason: post.error };
  const form = new FormData();
  for (const [field, value] of Object.entries(post.fields)) form.append(field, value);
  form.append("file", file);
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(post.url, { method: "POST", body: form });
      if (response.ok) return undefined;
      if (response.status < 500) {
        const message = /<Message>(.*?)<\/Message>/.exec(await response.text())?.[1];
        const reason = `The storage refused it: ${message ?? response.status}.`;
        return { name, reason, retry: image };
      }
    } catch {
      // The network: tried again below.
    }
    if (attempt === ATTEMPTS) return { name, reason: "The connection broke off.", retry: image };
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
  }
}
