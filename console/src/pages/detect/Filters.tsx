import Button from "@cloudscape-design/components/button";
import DatePicker from "@cloudscape-design/components/date-picker";
import FormField from "@cloudscape-design/components/form-field";
import Input, { type InputProps } from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import { useState } from "react";
import { STATES, STATE_WORDS } from "../../parts/StateBadge";
import { isDay } from "../../parts/time";
import { go, refine } from "../../parts/route";
import "./filters.css";

type Query = Record<string, string>;

/** What the list is narrowed to. It stands in the address: a link leads to the same list. */
export function Filters({ query }: { query: Query }) {
  const set = (changes: Query) => refine("detect", { ...query, ...changes });
  const states = [
    { value: "", label: "Every state" },
    ...STATES.map((state) => ({ value: state, label: STATE_WORDS[state].text })),
  ];
  const isEmptyRange = !!query.min && !!query.max && Number(query.min) > Number(query.max);
  return (
    <div className="filters">
      <FormField label="State">
        <Select
          selectedOption={states.find(({ value }) => value === (query.state ?? "")) ?? null}
          options={states}
          onChange={({ detail }) => set({ state: detail.selectedOption.value ?? "" })}
        />
      </FormField>
      <FormField label="First label">
        <Settled
          type="search"
          placeholder="Any"
          value={query.label ?? ""}
          settle={(label) => set({ label })}
        />
      </FormField>
      <FormField label="At least %" errorText={isEmptyRange && "More than “at most”"}>
        <Percent value={query.min ?? ""} settle={(min) => set({ min })} />
      </FormField>
      <FormField label="At most %">
        <Percent value={query.max ?? ""} settle={(max) => set({ max })} />
      </FormField>
      <FormField label="Day">
        <Day value={query.day ?? ""} settle={(day) => set({ day })} />
      </FormField>
      <div className="clear">
        <Button disabled={!Object.keys(query).length} onClick={() => go("detect")}>
          Clear filters
        </Button>
      </div>
    </div>
  );
}

interface SettledProps {
  type: InputProps.Type;
  placeholder: string;
  value: string;
  settle: (value: string) => void;
  inputMode?: InputProps.InputMode;
}

/** A field that filters when what is written is complete: by Enter, or when it is left. */
function Settled({ value, settle, ...props }: SettledProps) {
  const [draft, setDraft] = useState({ value, text: value });
  const text = draft.value === value ? draft.text : value;
  const finish = (text: string) => text !== value && settle(text.trim());
  return (
    <Input
      {...props}
      value={text}
      clearAriaLabel="Clear"
      onChange={({ detail }) => {
        setDraft({ value, text: detail.value });
        if (!detail.value) finish("");
      }}
      onBlur={() => finish(text)}
      onKeyDown={({ detail }) => detail.key === "Enter" && finish(text)}
    />
  );
}

type Field = Pick<SettledProps, "value" | "settle">;

function Day({ value, settle }: Field) {
  const [draft, setDraft] = useState({ value, text: value });
  return (
    <DatePicker
      value={draft.value === value ? draft.text : value}
      placeholder="YYYY/MM/DD"
      i18nStrings={{ openCalendarAriaLabel: () => "Choose a day" }}
      onChange={({ detail: { value: text } }) => {
        setDraft({ value, text });
        if (!text || isDay(text)) settle(text);
      }}
    />
  );
}

function Percent({ value, settle }: Field) {
  return (
    <Settled
      type="number"
      inputMode="decimal"
      placeholder="Any"
      value={value}
      settle={(text) => settle(text && String(Math.min(100, Math.max(0, Number(text)))))}
    />
  );
}
