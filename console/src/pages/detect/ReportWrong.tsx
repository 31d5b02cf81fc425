import ButtonDropdown from "@cloudscape-design/components/button-dropdown";
import { api } from "../../api/client";
import type { Detection } from "../../api/types";
import type { Act } from "../../parts/useAction";

interface Props {
  image: Detection;
  act: Act;
  busy: boolean;
  /** The image is with the reviewers. */
  done: () => void;
}

const UNKNOWN = "unknown";
const MOST = 20;

/** Reports the answer as wrong, with what it should be if the reader knows. */
export function ReportWrong({ image, act, busy, done }: Props) {
  const [first, ...others] = [...new Set(image.labels.map(({ name }) => name))];

  function report(label: string) {
    void act(async () => {
      const { message } = await api.report(image.id, label);
      done();
      return { type: "success", text: message };
    });
  }
  return (
    <ButtonDropdown
      disabled={busy}
      items={[
        { id: UNKNOWN, text: first ? `It is not ${first}` : "It shows one of the labels" },
        ...others.slice(0, MOST).map((name) => ({ id: `label ${name}`, text: `It is ${name}` })),
      ]}
      onItemClick={({ detail: { id } }) => report(id === UNKNOWN ? "" : id.slice("label ".length))}
    >
      This is wrong
    </ButtonDropdown>
  );
}
