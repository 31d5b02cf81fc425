import Button from "@cloudscape-design/components/button";
import { api } from "../../api/client";
import type { Detection } from "../../api/types";
import type { Act } from "../../parts/useAction";

interface Props {
  images: Pick<Detection, "id" | "image">[];
  act: Act;
  busy: boolean;
  /** The images are on their way. */
  done: () => void;
}

/** Has images read again that failed or were rejected. */
export function ReadAgain({ images, act, busy, done }: Props) {
  function order() {
    void act(async () => {
      const { done: count, failed } = await api.readAgain(images.map(({ id }) => id));
      done();
      const reasons = failed.map(({ message }) => message).join(" ");
      const text = count === 1 ? "1 image is read again." : `${count} images are read again.`;
      return failed.length
        ? { type: "error", text: `${count ? `${text} ` : ""}${reasons}` }
        : { type: "success", text };
    });
  }
  return (
    <Button iconName="refresh" disabled={busy || !images.length} onClick={order}>
      Read again
    </Button>
  );
}
