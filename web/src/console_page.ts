import { mount } from "svelte";
import "./sheet.css";
import ConsolePage from "./ui/console/ConsolePage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("console.html has no #app");
target.replaceChildren();
mount(ConsolePage, { target });
