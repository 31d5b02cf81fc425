import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { api } from "../../api/client";
import { Picture } from "../../parts/Picture";
import { useLoad } from "../../parts/useLoad";

const POLL_MS = 10 * 60_000;

/** What an operator said of the labels that can be chosen, with reference images. */
export function AboutLabels({ labels }: { labels: string[] }) {
  const { data } = useLoad("about labels", api.aboutLabels, POLL_MS);
  const described = (data?.items ?? []).filter(({ label }) => labels.includes(label));
  if (!described.length) return null;
  return (
    <Container header={<Header variant="h3">What the labels mean</Header>}>
      <SpaceBetween size="m">
        {described.map(({ label, description, references }) => (
          <SpaceBetween key={label} size="xxs">
            <Box variant="strong">{label}</Box>
            {description && <Box>{description}</Box>}
            <SpaceBetween direction="horizontal" size="xs">
              {references.map(({ id, picture }, number) => (
                <Picture
                  key={id}
                  src={picture}
                  alt={`Reference ${number + 1} of ${label}`}
                  size="small"
                />
              ))}
            </SpaceBetween>
          </SpaceBetween>
        ))}
      </SpaceBetween>
    </Container>
  );
}
