import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const gateway = process.env["WAVEGATE_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  root: import.meta.dirname,
  // Every address is relative to the page's <base>: it works below any path that a proxy puts before it.
  base: "./",
  plugins: [react(), tailwindcss()],
  build: {
    target: "baseline-widely-available",
    manifest: true,
    // A data: URL would be one thing more for the content security policy to allow.
    assetsInlineLimit: 0,
    modulePreload: false,
    rolldownOptions: {
      // One file for all that the home page needs, which is smaller than many; the rest comes when it is opened.
      output: { codeSplitting: { groups: [{ name: "console", tags: ["$initial"] }] } },
    },
  },
  server: { host: "127.0.0.1", proxy: { "/admin": gateway } },
});
