/** Which files somebody dropped or chose, and which of them Loupe takes. */

export interface ImageFile {
  file: File;
  /** With its folders: "cats/1.png". */
  name: string;
  /** Of an image to train on. */
  label?: string;
}

export interface Failure {
  name: string;
  reason: string;
  /** What may be sent again as it is. */
  retry?: ImageFile;
}

export interface Selection {
  files: ImageFile[];
  unreadable: Failure[];
}

/** The files of a drop, those in folders too, without hidden ones. */
export async function droppedFiles(items: DataTransferItemList): Promise<Selection> {
  // All of them now: the list is empty as soon as the event is over.
  const entries = [...items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemEntry => entry !== null);
  const selection: Selection = { files: [], unreadable: [] };
  for (const entry of entries) await walk(entry, "", selection);
  return selection;
}

export function chosenFiles(files: Iterable<File>): Selection {
  const named = [...files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
  return { files: named.filter(({ name }) => !isHidden(name)), unreadable: [] };
}

function isHidden(name: string): boolean {
  return name.split("/").some((part) => part.startsWith("."));
}

async function walk(entry: FileSystemEntry, folder: string, selection: Selection): Promise<void> {
  const name = folder + entry.name;
  if (isHidden(name)) return;
  try {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      selection.files.push({ file, name });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    // A reader gives its entries in batches; an empty one is the end.
    for (;;) {
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (!batch.length) return;
      for (const inner of batch) await walk(inner, `${name}/`, selection);
    }
  } catch {
    selection.unreadable.push({ name, reason: "It cannot be read: is it still there?" });
  }
}

/** Why a file cannot be sent, or "". */
export function fault({ file }: ImageFile, types: string[], bytes: number): string {
  if (!types.includes(file.type)) return "It is not a PNG or JPEG image: convert it first.";
  if (file.size > bytes) {
    const [size, limit] = [megabytes(file.size), megabytes(bytes)];
    return `It has ${size}, and an image has at most ${limit}: make it smaller.`;
  }
  if (!file.size) return "It is empty.";
  return "";
}

export function megabytes(size: number): string {
  return `${(size / 2 ** 20).toFixed(1).replace(".0", "")} MB`;
}
