/** The calls of `/api/v1/staff` that the console makes. */
import { clientAs, dataOf, keyed, some, type TokenSource } from "../net/asking.ts";
import type { Role, State } from "./shapes.ts";

/** What one person may be asked to bear, besides a suspension and a role. */
export type PersonAct = "ban" | "restore" | "export" | "erase" | "keep" | "sessions/end";

export class ConsoleApi {
  readonly #client: ReturnType<typeof clientAs>;

  constructor(tokens: TokenSource) {
    this.#client = clientAs(tokens);
  }

  // ---- people ----

  people(narrowed: {
    name?: string | undefined;
    role?: Role | undefined;
    state?: State | undefined;
    cursor?: string | undefined;
  }) {
    const params = { query: some(narrowed) };
    return dataOf(this.#client.GET("/api/v1/staff/people", { params }));
  }
  person = (id: string) =>
    dataOf(this.#client.GET("/api/v1/staff/people/{account_id}", { params: person(id) }));
  movement = (id: string) =>
    dataOf(this.#client.GET("/api/v1/staff/people/{account_id}/movement", { params: person(id) }));
  notes(id: string, cursor?: string) {
    const params = { ...person(id), query: some({ cursor }) };
    return dataOf(this.#client.GET("/api/v1/staff/people/{account_id}/notes", { params }));
  }
  note(id: string, text: string, key: string) {
    const params = { ...person(id), header: keyed(key) };
    return dataOf(this.#client.POST("/api/v1/staff/people/{account_id}/notes", { params, body: { text } }));
  }
  suspend(id: string, until: string, reason: string, key: string) {
    const params = { ...person(id), header: keyed(key) };
    const body = { until, reason };
    return dataOf(this.#client.POST("/api/v1/staff/people/{account_id}/suspend", { params, body }));
  }
  onPerson(act: PersonAct, id: string, reason: string, key: string) {
    const params = { ...person(id), header: keyed(key) };
    const body = { reason };
    return dataOf<unknown>(this.#client.POST(`/api/v1/staff/people/{account_id}/${act}`, { params, body }));
  }
  setRole(id: string, role: Role, reason: string, key: string) {
    const params = { ...person(id), header: keyed(key) };
    const body = { role, reason };
    return dataOf(this.#client.PUT("/api/v1/staff/people/{account_id}/role", { params, body }));
  }

  // ---- land and market ----

  land = (token: string) =>
    dataOf(this.#client.GET("/api/v1/lands/{token}", { params: { path: { token } } }));
  titles = (token: string) =>
    dataOf(this.#client.GET("/api/v1/lands/{token}/titles", { params: { path: { token } } }));
  onLand(act: "freeze" | "thaw", token: string, reason: string, key: string) {
    const params = { path: { token }, header: keyed(key) };
    return dataOf(this.#client.POST(`/api/v1/staff/lands/{token}/${act}`, { params, body: { reason } }));
  }
  /** Gives land back to whom a title names. */
  restoreLand(token: string, titleNumber: number, reason: string, key: string) {
    const params = { path: { token }, header: keyed(key) };
    const body = { title_number: titleNumber, reason };
    return dataOf(this.#client.POST("/api/v1/staff/lands/{token}/restore", { params, body }));
  }
  cancelSale(saleId: string, reason: string, key: string) {
    const params = { path: { sale_id: saleId }, header: keyed(key) };
    return dataOf(this.#client.POST("/api/v1/staff/market/{sale_id}/cancel", { params, body: { reason } }));
  }

  // ---- the books ----

  /** Somebody's, or the planet's own. */
  ledgerAccounts(owner: string | undefined) {
    const params = { query: some({ owner }) };
    return dataOf(this.#client.GET("/api/v1/staff/ledger/accounts", { params }));
  }
  postings(account: string, cursor?: string) {
    const params = { query: some({ account, cursor }) };
    return dataOf(this.#client.GET("/api/v1/staff/ledger/postings", { params }));
  }
  reverse(id: string, reason: string, key: string) {
    const params = { path: { posting_id: id }, header: keyed(key) };
    const body = { reason };
    return dataOf<unknown>(
      this.#client.POST("/api/v1/staff/ledger/postings/{posting_id}/reverse", { params, body }),
    );
  }
  check = () => dataOf(this.#client.GET("/api/v1/staff/ledger/check"));

  // ---- acts that wait ----

  acts(cursor?: string) {
    return dataOf(this.#client.GET("/api/v1/staff/acts", { params: { query: some({ cursor }) } }));
  }
  decideAct(id: string, what: "approve" | "refuse", reason: string, key: string) {
    const params = { path: { act_id: id }, header: keyed(key) };
    return dataOf(this.#client.POST(`/api/v1/staff/acts/{act_id}/${what}`, { params, body: { reason } }));
  }

  // ---- the log ----

  audit(narrowed: {
    actor?: string | undefined;
    subject?: string | undefined;
    action?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
    cursor?: string | undefined;
  }) {
    return dataOf(this.#client.GET("/api/v1/staff/audit", { params: { query: some(narrowed) } }));
  }
  auditEntry = (sequence: number) =>
    dataOf(this.#client.GET("/api/v1/staff/audit/{sequence}", { params: { path: { sequence } } }));
  proof = (sequence: number) =>
    dataOf(this.#client.GET("/api/v1/staff/audit/{sequence}/proof", { params: { path: { sequence } } }));
  verification = () => dataOf(this.#client.GET("/api/v1/staff/audit/verification"));

  // ---- the planet ----

  world = () => dataOf(this.#client.GET("/api/v1/staff/world"));
  system = () => dataOf(this.#client.GET("/api/v1/staff/system"));
}

const person = (id: string) => ({ path: { account_id: id } });
