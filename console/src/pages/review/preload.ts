import type { Task } from "../../api/types";

/** Loads and decodes the images of tasks before they are shown, and forgets those of others. */
export function preloader(): (tasks: Task[]) => void {
  const images = new Map<string, HTMLImageElement>();
  return (tasks) => {
    for (const id of images.keys()) {
      if (!tasks.some((task) => task.id === id)) images.delete(id);
    }
    for (const { id, picture } of tasks) {
      if (images.has(id)) continue;
      const image = new Image();
      image.src = picture;
      image.decode().catch(() => undefined);
      images.set(id, image);
    }
  };
}
