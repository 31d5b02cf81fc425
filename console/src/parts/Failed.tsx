import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";

export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <Alert
      type="error"
      header="This did not work"
      action={retry && <Button onClick={retry}>Try again</Button>}
    >
      {error.message}
    </Alert>
  );
}
