/**
 * Signing in with Amazon Cognito, straight from the browser: Loupe's own API sees no password.
 *
 * The tokens live as long as the tab. The ID token goes to the API; it ends after half an hour and
 * is renewed by the refresh token, which ends after twelve.
 */

import type { Config } from "./api";

const KEY = "loupe-session";
const RENEW_BEFORE_MS = 60_000;

interface Session {
  idToken: string;
  accessToken: string;
  refreshToken: string;
  ends: number;
}

interface Tokens {
  IdToken: string;
  AccessToken: string;
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

const TEXTS: Record<string, string> = {
  NotAuthorizedException: "The name or the password is wrong.",
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

export function loadConfig(): Promise<Config> {
  config ??= fetch(new URL("api/config", document.baseURI)).then((response) => {
    if (response.ok) return response.json() as Promise<Config>;
    config = undefined;
    throw new Error("Loupe cannot be reached. Check the connection and load the page again.");
  });
  return config;
}

/** Whom to tell when a session ends. */
export function onEnd(listener: (reason: string) => void) {
  ended = listener;
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
  const session = stored();
  endSession("");
  if (!session) return;
  const { client_id } = await loadConfig();
  // Signed out here in any case: a token that cannot be revoked now ends by itself.
  await cognito("RevokeToken", { ClientId: client_id, Token: session.refreshToken }).catch(
    () => undefined,
  );
}

export function endSession(reason: string): void {
  if (!stored()) return;
  sessionStorage.removeItem(KEY);
  ended(reason);
}

/** A token that holds for the next minute at least; callers at the same time share a renewal. */
export async function freshToken(): Promise<string> {
  const session = stored();
  if (!session) return "";
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
    if (error instanceof NoAnswer) throw error;
  }
  endSession("Your session has ended. Sign in again.");
  return "";
}

function settle(user: string, answer: Answer): NewPasswordNeeded | null {
  if (answer.AuthenticationResult) {
    keep(answer.AuthenticationResult);
    return null;
  }
  if (answer.ChallengeName === "NEW_PASSWORD_REQUIRED" && answer.Session) {
    return { user, challenge: answer.Session };
  }
  throw new Error(`Signing in asks for ${answer.ChallengeName}, which this page cannot do.`);
}

function keep(tokens: Tokens, before?: Session): Session {
  const session = {
    idToken: tokens.IdToken,
    accessToken: tokens.AccessToken,
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

class NoAnswer extends Error {}

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
    throw new NoAnswer("The sign-in service cannot be reached. Check the connection.");
  });
  const answer = (await response.json().catch(() => ({}))) as {
    __type?: string;
    message?: string;
  } & T;
  if (response.ok) return answer;
  const kind = answer.__type?.split("#").pop() ?? "";
  throw new Error(TEXTS[kind] ?? answer.message ?? `Signing in failed (${response.status}).`);
}
