import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Toggle from "@cloudscape-design/components/toggle";
import { useState } from "react";
import { api } from "../../api/client";
import type { Setting } from "../../api/types";

interface Props {
  setting: Setting;
  /** Called with the setting as it is now that it was saved. */
  onSaved: (saved: Setting) => void;
}

/** A setting's value, edited where it stands. */
export function SettingValue(props: Props) {
  return isToggle(props.setting) ? <Switch {...props} /> : <Field {...props} />;
}

function isToggle({ pattern }: Setting): boolean {
  return pattern.startsWith("^(true|false)");
}

function useSaving({ setting, onSaved }: Props) {
  const [saving, setSaving] = useState(false);
  const [refusal, setRefusal] = useState("");

  async function save(value: string): Promise<boolean> {
    setSaving(true);
    setRefusal("");
    try {
      onSaved(await api.set(setting.name, value));
      return true;
    } catch (error) {
      setRefusal((error as Error).message);
      return false;
    } finally {
      setSaving(false);
    }
  }

  return { save, saving, refusal, forget: () => setRefusal("") };
}

function Switch(props: Props) {
  const { setting } = props;
  const { save, saving, refusal } = useSaving(props);
  const on = setting.value === "true";
  return (
    <FormField errorText={refusal}>
      <Toggle
        checked={on}
        disabled={saving}
        ariaLabel={setting.name}
        onChange={({ detail }) => void save(String(detail.checked))}
      >
        {on ? "On" : "Off"}
      </Toggle>
    </FormField>
  );
}

function Field(props: Props) {
  const { setting } = props;
  const { save, saving, refusal, forget } = useSaving(props);
  // Null while nobody types: only then does a change by somebody else show.
  const [typed, setTyped] = useState<string | null>(null);
  const value = typed ?? setting.value;
  const mistake = allows(setting, value) ? "" : `It takes ${setting.allowed}.`;

  async function submit() {
    if (typed !== null && !mistake && (await save(typed))) setTyped(null);
  }
  function cancel() {
    setTyped(null);
    forget();
  }

  return (
    <FormField errorText={mistake || refusal}>
      <SpaceBetween size="xs">
        <Input
          value={value}
          ariaLabel={setting.name}
          inputMode={Number.isNaN(Number(setting.default)) ? "text" : "decimal"}
          disabled={saving}
          autoComplete={false}
          onChange={({ detail }) => {
            setTyped(detail.value);
            forget();
          }}
          onKeyDown={({ detail }) => {
            if (detail.key === "Enter") void submit();
            if (detail.key === "Escape") cancel();
          }}
        />
        {typed !== null && (
          <SpaceBetween direction="horizontal" size="xs">
            <Button
              variant="primary"
              loading={saving}
              disabled={mistake !== ""}
              ariaLabel={`Save ${setting.name}`}
              onClick={() => void submit()}
            >
              Save
            </Button>
            <Button variant="link" ariaLabel={`Cancel ${setting.name}`} onClick={cancel}>
              Cancel
            </Button>
          </SpaceBetween>
        )}
      </SpaceBetween>
    </FormField>
  );
}

/** The server checks the same pattern; here it answers while one types. */
function allows({ pattern }: Setting, value: string): boolean {
  return new RegExp(`^(?:${pattern})$`, "u").test(value);
}
