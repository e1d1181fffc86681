import { mount } from "svelte";
import "./app.css";
import MapPage from "./ui/MapPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("map.html has no #app");
target.replaceChildren();
mount(MapPage, { target });
