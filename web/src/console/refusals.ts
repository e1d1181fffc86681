/** Sentences for what can be refused to staff. */
import { alsoSay } from "../net/declined.ts";

alsoSay({
  permission_denied: "Your role does not allow this.",
  account_unknown: "There is no such account.",
  account_erased: "The account has been erased: nothing can be done any more.",
  already_so: "It is so already.",
  last_admin: "This is the last administrator of the planet.",
  not_to_oneself: "Nobody decides about themself.",
  rank_too_low: "They are on the staff themself: only somebody above them may do this.",
  still_staff: "Take their role away first.",
  too_many_notes: "There are as many notes as there can be.",
  land_frozen: "The land is frozen.",
  not_a_lot: "There is no such land.",
  shape_changed: "The land was merged or split since then.",
  parcel_encumbered: "The land is for sale, let or promised. That has to end first.",
  title_unknown: "There is no such title.",
  entry_unknown: "The books have no such entry.",
  posting_moves_deeds: "This posting moved land too: give the land back instead.",
  posting_is_reversal: "This posting takes another one back itself.",
  posting_reversed: "This posting was reversed already.",
  act_waiting: "The same waits for a second person already.",
  act_closed: "This was decided already, or its time was up.",
  no_such_audit_entry: "The log has no such entry.",
});
