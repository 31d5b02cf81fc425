/** Files on their way to S3: straight from the browser, a few at a time, each with its own slot. */

import { type FileToUpload, SLOTS_PER_CALL, type UploadSlot } from "../../api/types";

export interface Named {
  file: File;
  /** With its folders: "cats/1.png". */
  name: string;
  /** Of an image to train on. */
  label?: string;
}

export interface Refusal {
  name: string;
  reason: string;
  /** What may be sent again as it is. */
  again?: Named;
}

export interface Found {
  files: Named[];
  unreadable: Refusal[];
}

export type AskForSlots = (files: FileToUpload[]) => Promise<{ slots: UploadSlot[] }>;

const AT_ONCE = 5;
const ATTEMPTS = 4;

/** The files of a drop, those in folders too, without hidden ones. */
export async function filesOf(items: DataTransferItemList): Promise<Found> {
  // All of them now: the list is empty as soon as the event is over.
  const entries = [...items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemEntry => entry !== null);
  const found: Found = { files: [], unreadable: [] };
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

export function chosen(files: FileList): Found {
  const named = [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  return { files: named.filter(({ name }) => !isHidden(name)), unreadable: [] };
}

function isHidden(name: string): boolean {
  return name.split("/").some((part) => part.startsWith("."));
}

async function walk(entry: FileSystemEntry, folder: string, found: Found): Promise<void> {
  const name = folder + entry.name;
  if (isHidden(name)) return;
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      found.files.push({ file, name });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    // A reader gives its entries in batches; an empty one is the end.
    for (;;) {
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (!batch.length) return;
      for (const inner of batch) await walk(inner, `${name}/`, found);
    }
  } catch {
    found.unreadable.push({ name, reason: "It cannot be read: is it still there?" });
  }
}

/** Why a file cannot be sent, or "". */
export function fault({ file }: Named, types: string[], bytes: number): string {
  if (!types.includes(file.type)) return "It is not a PNG or JPEG image: convert it first.";
  if (file.size > bytes) {
    const [has, most] = [megabytes(file.size), megabytes(bytes)];
    return `It has ${has}, and an image has at most ${most}: make it smaller.`;
  }
  if (!file.size) return "It is empty.";
  return "";
}

export function megabytes(size: number): string {
  return `${(size / 2 ** 20).toFixed(1).replace(".0", "")} MB`;
}

/** Send `files`; `told` hears of each that has arrived or failed, `done` of each hundred. */
export async function send(
  files: Named[],
  askForSlots: AskForSlots,
  told: (refusal?: Refusal) => void,
  done: () => void,
): Promise<void> {
  for (let start = 0; start < files.length; start += SLOTS_PER_CALL) {
    const batch = files.slice(start, start + SLOTS_PER_CALL);
    let slots: UploadSlot[];
    try {
      ({ slots } = await askForSlots(
        batch.map(({ file, name, label }) => ({ name, label, size: file.size, type: file.type })),
      ));
    } catch (error) {
      const { message: reason } = error as Error;
      for (const named of batch) told({ name: named.name, reason, again: named });
      continue;
    }
    const waiting = batch.map((named, number) => ({ named, slot: slots[number] }));
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        told(await sendOne(next.named, next.slot));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    done();
  }
}

/** Why it failed, if it did. */
async function sendOne(named: Named, slot: UploadSlot | undefined): Promise<Refusal | undefined> {
  const { file, name } = named;
  if (!slot) return { name, reason: "Loupe gave no place for it.", again: named };
  if (slot.error !== undefined) return { name, reason: slot.error };
  const form = new FormData();
  for (const [field, value] of Object.entries(slot.fields)) form.append(field, value);
  form.append("file", file);
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetch(slot.url, { method: "POST", body: form });
      if (response.ok) return undefined;
      if (response.status < 500) {
        const said = /<Message>(.*?)<\/Message>/.exec(await response.text())?.[1];
        const reason = `The storage refused it: ${said ?? response.status}.`;
        return { name, reason, again: named };
      }
    } catch {
      // The network: tried again below.
    }
    if (attempt === ATTEMPTS) return { name, reason: "The connection broke off.", again: named };
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
  }
}
