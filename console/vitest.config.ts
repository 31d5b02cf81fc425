import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    // A reader's days are not UTC's; the clock changes twice a year.
    env: { TZ: "Europe/Berlin" },
  },
});
