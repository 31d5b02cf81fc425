import react from "@vitejs/plugin-react";
import { type Plugin, defineConfig } from "vite";

/** Fonts inside stylesheets become files: cached, and allowed without `data:` in the policy. */
const fontFiles: Plugin = {
  name: "font-files",
  generateBundle(_, bundle) {
    for (const sheet of Object.values(bundle)) {
      if (sheet.type !== "asset" || !sheet.fileName.endsWith(".css")) continue;
      sheet.source = String(sheet.source).replace(
        /url\(["']?data:font\/woff2;base64,([^"')]+)["']?\)/g,
        (_, font: string) => {
          const source = Uint8Array.from(atob(font), (character) => character.charCodeAt(0));
          const file = this.emitFile({ type: "asset", name: "font.woff2", source });
          return `url(./${this.getFileName(file).split("/").pop()})`;
        },
      );
    }
  },
};

export default defineConfig({
  plugins: [react(), fontFiles],
  // The page works under any address: API Gateway's, a custom domain's, or the embedded stack's.
  base: "./",
  build: {
    // Files of their own, so that the content security policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2500,
    rollupOptions: {
      output: {
        manualChunks: (id) => (id.includes("node_modules") ? "libraries" : undefined),
      },
    },
  },
});
