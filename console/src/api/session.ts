/**
 * Signing in with Amazon Cognito, straight from the browser: Loupe's own API sees no password.
 *
 * The tokens live as long as the tab. The ID token goes to the API; it ends after half an hour and
 * is renewed by the refresh token, which ends after twelve.
 */

import type { Config } from "./types";

const KEY = "loupe-session";
const RENEW_BEFORE_MS = 60_000;
const ENDED = "Your session has ended. Sign in again.";

interface Session {
  idToken: string;
  refreshToken: string;
  ends: number;
}

interface Tokens {
  IdToken: string;
  RefreshToken?: string;
  ExpiresIn: number;
}

interface Answer {
  AuthenticationResult?: Tokens;
  ChallengeName?: string;
  Session?: string;
}

/** A first sign-in asks for a new password before it lets anybody in. */
export interface NewPasswordNeeded {
  user: string;
  challenge: string;
}

/** What Cognito says with one and the same NotAuthorizedException, told apart by its words. */
const DENIALS: [RegExp, string][] = [
  [/attempts exceeded/i, "Too many wrong passwords: this name is locked for some minutes."],
  [/disabled/i, "This name may not sign in any more. Ask an operator."],
  [/temporary password/i, "Your first password has ended. Ask an operator for a new one."],
  [/session/i, "That took too long. Sign in again."],
  [/./, "The name or the password is wrong."],
];

const TEXTS: Record<string, string> = {
  UserNotFoundException: "The name or the password is wrong.",
  PasswordResetRequiredException: "Your password must be reset: choose “Forgot password”.",
  TooManyRequestsException: "Too many attempts. Wait a minute and try again.",
  LimitExceededException: "Too many attempts. Wait a while and try again.",
  CodeMismatchException: "The code is wrong. Look at the newest email.",
  ExpiredCodeException: "The code has ended. Ask for a new one.",
};

let config: Promise<Config> | undefined;
let renewal: Promise<string> | undefined;
let ended: (reason: string) => void = () => undefined;
const lastWords = new Set<() => Promise<unknown>>();

export function loadConfig(): Promise<Config> {
  config ??= fetchConfig().catch((error: unknown) => {
    config = undefined;
    throw error;
  });
  return config;
}

async function fetchConfig(): Promise<Config> {
  const response = await fetch(new URL("api/config", document.baseURI)).catch(() => undefined);
  if (response?.ok) return (await response.json()) as Config;
  throw new NotNow("Loupe cannot be reached. Check the connection and try again.");
}

/** Whom to tell when a session ends. */
export function onEnd(listener: (reason: string) => void) {
  ended = listener;
}

/** `say` still needs the session when somebody signs out; takes it back by the answer. */
export function beforeSignOut(say: () => Promise<unknown>): () => void {
  lastWords.add(say);
  return () => lastWords.delete(say);
}

export function isSignedIn(): boolean {
  return stored() !== undefined;
}

export async function signIn(user: string, password: string): Promise<NewPasswordNeeded | null> {
  const { client_id } = await loadConfig();
  const answer = await cognito<Answer>("InitiateAuth", {
    AuthFlow: "USER_PASSWORD_AUTH",
    ClientId: client_id,
    AuthParameters: { USERNAME: user, PASSWORD: password },
  });
  return settle(user, answer);
}

export async function chooseNewPassword(
  { user, challenge }: NewPasswordNeeded,
  password: string,
): Promise<NewPasswordNeeded | null> {
  const { client_id } = await loadConfig();
  const answer = await cognito<Answer>("RespondToAuthChallenge", {
    ChallengeName: "NEW_PASSWORD_REQUIRED",
    ClientId: client_id,
    Session: challenge,
    ChallengeResponses: { USERNAME: user, NEW_PASSWORD: password },
  });
  return settle(user, answer);
}

export async function sendCode(user: string): Promise<void> {
  const { client_id } = await loadConfig();
  await cognito("ForgotPassword", { ClientId: client_id, Username: user });
}

export async function resetPassword(user: string, code: string, password: string): Promise<void> {
  const { client_id } = await loadConfig();
  await cognito("ConfirmForgotPassword", {
    ClientId: client_id,
    Username: user,
    ConfirmationCode: code,
    Password: password,
  });
}

export async function signOut(): Promise<void> {
  await Promise.allSettled([...lastWords].map((say) => say()));
  const session = stored();
  endSession("");
  if (!session) return;
  // Signed out here in any case: a token that cannot be revoked now ends by itself.
  await loadConfig()
    .then(({ client_id }) =>
      cognito("RevokeToken", { ClientId: client_id, Token: session.refreshToken }),
    )
    .catch(() => undefined);
}

export function endSession(reason: string): void {
  if (!stored()) return;
  sessionStorage.removeItem(KEY);
  ended(reason);
}

/** A token that holds for the next minute at least; callers at the same time share a renewal. */
export async function freshToken(): Promise<string> {
  const session = stored();
  if (!session) throw new Error(ENDED);
  if (session.ends - Date.now() > RENEW_BEFORE_MS) return session.idToken;
  renewal ??= renew(session).finally(() => {
    renewal = undefined;
  });
  return renewal;
}

async function renew(session: Session): Promise<string> {
  const { client_id } = await loadConfig();
  try {
    const answer = await cognito<Answer>("InitiateAuth", {
      AuthFlow: "REFRESH_TOKEN_AUTH",
      ClientId: client_id,
      AuthParameters: { REFRESH_TOKEN: session.refreshToken },
    });
    if (answer.AuthenticationResult) return keep(answer.AuthenticationResult, session).idToken;
  } catch (error) {
    if (error instanceof NotNow) throw error;
  }
  endSession(ENDED);
  throw new Error(ENDED);
}

function settle(user: string, answer: Answer): NewPasswordNeeded | null {
  if (answer.AuthenticationResult) {
    keep(answer.AuthenticationResult);
    return null;
  }
  const { ChallengeName: challenge = "nothing", Session: session } = answer;
  if (challenge === "NEW_PASSWORD_REQUIRED" && session) return { user, challenge: session };
  throw new Error(`Signing in asks for ${challenge}, which this page cannot do.`);
}

function keep(tokens: Tokens, before?: Session): Session {
  const session = {
    idToken: tokens.IdToken,
    refreshToken: tokens.RefreshToken ?? before?.refreshToken ?? "",
    ends: Date.now() + tokens.ExpiresIn * 1000,
  };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

function stored(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  return text ? (JSON.parse(text) as Session) : undefined;
}

/** It may work a little later: no reason to end a session. */
class NotNow extends Error {}

async function cognito<T>(action: string, request: object): Promise<T> {
  const { cognito: address } = await loadConfig();
  const response = await fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.1",
      "X-Amz-Target": `AWSCognitoIdentityProviderService.${action}`,
    },
    body: JSON.stringify(request),
  }).catch(() => {
    throw new NotNow("The sign-in service cannot be reached. Check the connection.");
  });
  const answer = (await response.json().catch(() => ({}))) as {
    __type?: string;
    message?: string;
  } & T;
  if (response.ok) return answer;
  const kind = answer.__type?.split("#").pop() ?? "";
  const message = answer.message ?? `Signing in failed (${response.status}).`;
  const text = kind === "NotAuthorizedException" ? denial(message) : (TEXTS[kind] ?? message);
  const later = response.status >= 500 || kind === "TooManyRequestsException";
  throw later ? new NotNow(text) : new Error(text);
}

function denial(message: string): string {
  return DENIALS.find(([words]) => words.test(message))?.[1] ?? message;
}
