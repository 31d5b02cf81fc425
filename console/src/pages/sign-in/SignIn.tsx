import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import {
  type NewPasswordNeeded,
  chooseNewPassword,
  resetPassword,
  sendCode,
  signIn,
} from "../../api/session";
import "./sign-in.css";

const SHORTEST_PASSWORD = 12;

type Step = "sign in" | "new password" | "forgot";

export function SignIn({ farewell, done }: { farewell: string; done: () => void }) {
  const [step, setStep] = useState<Step>("sign in");
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [needed, setNeeded] = useState<NewPasswordNeeded>();
  const [error, setError] = useState("");
  const [notice, setNotice] = useState(farewell);
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    document.title = "Sign in · Loupe";
  }, []);

  async function attempt(work: () => Promise<unknown>) {
    setBusy(true);
    setError("");
    setNotice("");
    try {
      await work();
    } catch (failure) {
      setError((failure as Error).message);
    } finally {
      setBusy(false);
    }
  }

  function turnTo(next: Step, words = "") {
    setStep(next);
    setNotice(words);
    setPassword("");
  }

  async function next() {
    if (!user.trim() || !password) throw new Error("Write your name and a password.");
    if (step === "forgot") {
      await resetPassword(user.trim(), code.trim(), password);
      turnTo("sign in", "Your password was changed. Sign in with it.");
      return;
    }
    const still = needed
      ? await chooseNewPassword(needed, password)
      : await signIn(user.trim(), password);
    if (still) {
      setNeeded(still);
      turnTo("new password");
    } else {
      done();
    }
  }

  async function forgot() {
    if (!user.trim()) throw new Error("Write your name first.");
    await sendCode(user.trim());
    turnTo("forgot", "A code is on its way to your email address.");
  }

  function back() {
    setNeeded(undefined);
    setError("");
    turnTo("sign in");
  }

  const isNew = step !== "sign in";
  return (
    <main className="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void attempt(next);
        }}
      >
        <Container header={<Header variant="h1">Loupe</Header>}>
          <Form
            errorText={error}
            errorIconAriaLabel="Error"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  formAction="none"
                  variant="link"
                  onClick={isNew ? back : () => void attempt(forgot)}
                >
                  {isNew ? "Back" : "Forgot password"}
                </Button>
                <Button variant="primary" loading={busy} formAction="submit">
                  {isNew ? "Change the password" : "Sign in"}
                </Button>
              </SpaceBetween>
            }
          >
            <SpaceBetween size="l">
              {notice && <Alert type="info">{notice}</Alert>}
              {step === "new password" && (
                <Box>This is your first visit. Choose a password of your own.</Box>
              )}
              <FormField label="Name">
                <Input
                  value={user}
                  name="username"
                  autoComplete="username"
                  autoFocus
                  disabled={isNew}
                  onChange={({ detail }) => setUser(detail.value)}
                />
              </FormField>
              {step === "forgot" && (
                <FormField label="Code from the email">
                  <Input
                    value={code}
                    autoComplete="one-time-code"
                    onChange={({ detail }) => setCode(detail.value)}
                  />
                </FormField>
              )}
              <FormField
                label={isNew ? "New password" : "Password"}
                constraintText={isNew && `At least ${SHORTEST_PASSWORD} characters.`}
              >
                <Input
                  value={password}
                  name="password"
                  type="password"
                  autoComplete={isNew ? "new-password" : "current-password"}
                  onChange={({ detail }) => setPassword(detail.value)}
                />
              </FormField>
            </SpaceBetween>
          </Form>
        </Container>
      </form>
    </main>
  );
}
