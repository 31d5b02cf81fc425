/** Files on their way to S3: straight from the browser, a few at a time, each with its own slot. */

import { type FileToUpload, SLOTS_PER_CALL, type UploadSlot } from "../api";

export interface Refusal {
  name: string;
  reason: string;
}

export interface Named {
  file: File;
  /** With its folders: "cats/1.png". */
  name: string;
}

const AT_ONCE = 5;
const ATTEMPTS = 4;

/** The files of a drop or a choice, those in folders too. */
export async function filesOf(items: DataTransferItemList): Promise<Named[]> {
  const entries = [...items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemEntry => entry !== null);
  return (await Promise.all(entries.map((entry) => walk(entry, "")))).flat();
}

export function chosen(files: FileList): Named[] {
  return [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
}

async function walk(entry: FileSystemEntry, folder: string): Promise<Named[]> {
  const name = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ file, name }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: Named[] = [];
  // A reader gives its entries in batches; an empty one is the end.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (!batch.length) return found;
    for (const inner of batch) found.push(...(await walk(inner, `${name}/`)));
  }
}

/** Why a file cannot be sent, or "". */
export function fault({ file }: Named, types: string[], bytes: number): string {
  if (!types.includes(file.type)) return "It is not a PNG or JPEG image: convert it first.";
  if (file.size > bytes) {
    const megabytes = (size: number) => `${(size / 2 ** 20).toFixed(0)} MB`;
    return `It has ${megabytes(file.size)}, and an image has at most ${megabytes(bytes)}: make it smaller.`;
  }
  if (!file.size) return "It is empty.";
  return "";
}

/** Send `files`; `told` hears of each that has arrived or failed. */
export async function send(
  files: Named[],
  askForSlots: (files: FileToUpload[]) => Promise<{ slots: UploadSlot[] }>,
  told: (refusal?: Refusal) => void,
): Promise<void> {
  for (let start = 0; start < files.length; start += SLOTS_PER_CALL) {
    const batch = files.slice(start, start + SLOTS_PER_CALL);
    let slots: UploadSlot[];
    try {
      ({ slots } = await askForSlots(
        batch.map(({ file, name }) => ({ name, size: file.size, type: file.type })),
      ));
    } catch (error) {
      for (const { name } of batch) told({ name, reason: (error as Error).message });
      continue;
    }
    const waiting = batch.map((named, number) => ({ named, slot: slots[number] }));
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const reason = await sendOne(next.named.file, next.slot);
        told(reason ? { name: next.named.name, reason } : undefined);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }
}

/** Why it failed, or "". */
async function sendOne(file: File, slot: UploadSlot | undefined): Promise<string> {
  if (!slot) return "Loupe gave no place for it. Try again.";
  if (slot.error !== undefined) return slot.error;
  const form = new FormData();
  for (const [name, value] of Object.entries(slot.fields)) form.append(name, value);
  form.append("file", file);
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(slot.url, { method: "POST", body: form });
      if (response.ok) return "";
      const text = await response.text();
      if (response.status < 500) {
        const message = /<Message>(.*?)<\/Message>/.exec(text)?.[1];
        return `The storage refused it: ${message ?? response.status}.`;
      }
    } catch {
      // The network: tried again below.
    }
    if (attempt === ATTEMPTS) return "The connection broke off. Try again.";
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
  }
}
