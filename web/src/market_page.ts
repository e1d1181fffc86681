import { mount } from "svelte";
import "./sheet.css";
import MarketPage from "./ui/market/MarketPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("market.html has no #app");
target.replaceChildren();
mount(MarketPage, { target });
