import Autosuggest from "@cloudscape-design/components/autosuggest";
import FormField from "@cloudscape-design/components/form-field";
import type { LabelCount } from "../../api/types";

export function LabelField(props: {
  label: string;
  labels: LabelCount[];
  onChange: (label: string) => void;
}) {
  return (
    <FormField label="Label" description="One that is there already, or a new one.">
      <Autosuggest
        value={props.label}
        ariaLabel="Label"
        options={props.labels.map(({ label }) => ({ value: label }))}
        enteredTextLabel={(text) => `A new label: ${text}`}
        placeholder="cat"
        onChange={({ detail }) => props.onChange(detail.value)}
      />
    </FormField>
  );
}
