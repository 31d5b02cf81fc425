import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
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
