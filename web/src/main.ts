import { mount } from "svelte";
import "./app.css";
import App from "./ui/App.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("index.html has no #app");
target.replaceChildren();
mount(App, { target });
