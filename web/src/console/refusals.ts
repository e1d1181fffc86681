/** Sentences for what can be refused to staff. */
import { alsoSay } from "../net/declined.ts";

alsoSay({
  permission_denied: "Your role does not allow this.",
  forbidden: "Your role does not allow this.",
  last_admin: "This is the last administrator of the planet.",
  account_erased: "The account has been erased: nothing can be done any more.",
  ends_in_the_past: "The end must be in the future.",
  own_act: "Your own act needs somebody else.",
  act_closed: "This was decided already.",
  already_reversed: "This posting was reversed already.",
  land_frozen: "The land is frozen.",
});
