/** Sentences for what can be refused about an account. */
import { alsoSay, waitOf } from "../net/declined.ts";

alsoSay({
  credentials_refused: "This e-mail and this password do not belong together.",
  account_locked: (_, error) =>
    `Too many wrong passwords. Wait ${waitOf(error.retryAfterS)}, or sign in another way.`,
  fresh_login_required: "For this you have to show once more that it is you.",
  forbidden_for_keys: "An API key may not do this.",
  account_suspended: "This account is suspended.",
  key_taken: "This device already opens another account.",
  last_way_in: "This is the only way into your account. Add another one first.",
  token_not_open: "This link was used already, or it is too old. Ask for a new one.",
});
