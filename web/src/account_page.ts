import { mount } from "svelte";
import "./sheet.css";
import AccountPage from "./ui/account/AccountPage.svelte";

const target = document.getElementById("app");
if (!target) throw new Error("account.html has no #app");
target.replaceChildren();
mount(AccountPage, { target });
