/** Sentences for what can be refused about an account. */
import { alsoSay, waitOf } from "../net/declined.ts";

alsoSay(
  {
    credentials_refused: "This e-mail and this password do not belong together.",
    password_locked: (_, error) =>
      `Too many wrong passwords. Wait ${waitOf(error.retryAfterS)}, or sign in another way.`,
    password_wrong: "That is not the password of your account.",
    fresh_login_required: "For this you have to show once more that it is you.",
    forbidden_for_keys: "An API key may not do this.",
    link_not_valid: "This link was used already, or it is too old. Ask for a new one.",
    address_taken: "Somebody else has this address by now.",
    no_address: "There has to be an e-mail first.",
    key_taken: "This device already opens another account.",
    key_known: "This device holds a key of yours already.",
    too_many_keys: "You have as many devices as one can have. Remove one first.",
    too_many_api_keys: "You have as many API keys as one can have. Remove one first.",
    last_way_in: "This is the only way into your account. Add another one first.",
    export_pending: "A copy is being made already.",
    too_many_exports: "You have taken as many copies as one can for now.",
    erasure_started: "It has begun and cannot be taken back.",
    no_erasure: "There is nothing to take back.",
  },
  { email: "The address", password: "The password", display_name: "The name", label: "The name" },
);
