/** The calls of `/api/v1/staff` that the console makes. */
import type { Parcel, TitlesPage } from "../market/shapes.ts";
import { clientAs, dataOf, keyed, some, type TokenSource } from "../net/asking.ts";
import type {
  ActView,
  AuditEntry,
  CheckpointView,
  CheckView,
  LedgerAccount,
  NoteView,
  Page,
  PersonInFull,
  PersonRow,
  PostingView,
  ProofView,
  Role,
  StaffSession,
  SystemView,
  VerificationView,
  WorldView,
} from "./shapes.ts";

// biome-ignore lint/suspicious/noExplicitAny: until the document has these routes
type Untyped = any;

export class ConsoleApi {
  readonly #client: Untyped;

  constructor(tokens: TokenSource) {
    this.#client = clientAs(tokens);
  }

  // ---- people ----

  people = (query: {
    name?: string | undefined;
    role?: Role | undefined;
    state?: string | undefined;
    cursor?: string | undefined;
  }): Promise<Page<PersonRow>> =>
    dataOf(this.#client.GET("/api/v1/staff/people", { params: { query: some(query) } }));
  person = (id: string): Promise<PersonInFull> =>
    dataOf(this.#client.GET("/api/v1/staff/people/{account_id}", { params: person(id) }));
  notes = (id: string): Promise<Page<NoteView>> =>
    dataOf(this.#client.GET("/api/v1/staff/people/{account_id}/notes", { params: person(id) }));
  note = (id: string, text: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.POST("/api/v1/staff/people/{account_id}/notes", {
        params: personAct(id, key),
        body: { text },
      }),
    );
  suspend = (id: string, until: string, reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.POST("/api/v1/staff/people/{account_id}/suspend", {
        params: personAct(id, key),
        body: { until, reason },
      }),
    );
  ban = (id: string, reason: string, key: string): Promise<unknown> => this.#onPerson("ban", id, reason, key);
  restore = (id: string, reason: string, key: string): Promise<unknown> =>
    this.#onPerson("restore", id, reason, key);
  export = (id: string, reason: string, key: string): Promise<unknown> =>
    this.#onPerson("export", id, reason, key);
  erase = (id: string, reason: string, key: string): Promise<unknown> =>
    this.#onPerson("erase", id, reason, key);
  keep = (id: string, reason: string, key: string): Promise<unknown> =>
    this.#onPerson("keep", id, reason, key);
  setRole = (id: string, role: Role, reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.PUT("/api/v1/staff/people/{account_id}/role", {
        params: personAct(id, key),
        body: { role, reason },
      }),
    );
  sessions = (id: string): Promise<Page<StaffSession>> =>
    dataOf(this.#client.GET("/api/v1/staff/people/{account_id}/sessions", { params: person(id) }));
  endSessions = (id: string, reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.DELETE("/api/v1/staff/people/{account_id}/sessions", {
        params: personAct(id, key),
        body: { reason },
      }),
    );

  // ---- land and market ----

  onLand = (act: "freeze" | "thaw", token: string, reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.POST(`/api/v1/staff/lands/{token}/${act}`, {
        params: { path: { token }, header: keyed(key) },
        body: { reason },
      }),
    );
  /** Gives land back to whom a title names. */
  restoreLand = (token: string, titleNumber: number, reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.POST("/api/v1/staff/lands/{token}/restore", {
        params: { path: { token }, header: keyed(key) },
        body: { title_number: titleNumber, reason },
      }),
    );
  cancelSale = (saleId: string, reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.POST("/api/v1/staff/market/{sale_id}/cancel", {
        params: { path: { sale_id: saleId }, header: keyed(key) },
        body: { reason },
      }),
    );
  land = (token: string): Promise<Parcel & { readonly is_frozen?: boolean }> =>
    dataOf(this.#client.GET("/api/v1/lands/{token}", { params: { path: { token } } }));
  titles = (token: string): Promise<TitlesPage> =>
    dataOf(this.#client.GET("/api/v1/lands/{token}/titles", { params: { path: { token } } }));

  // ---- the books ----

  /** Somebody's, or the planet's own. */
  ledgerAccounts = (owner?: string): Promise<Page<LedgerAccount>> =>
    dataOf(this.#client.GET("/api/v1/staff/ledger/accounts", { params: { query: some({ owner }) } }));
  postings = (account: string | undefined, cursor?: string): Promise<Page<PostingView>> =>
    dataOf(
      this.#client.GET("/api/v1/staff/ledger/postings", { params: { query: some({ account, cursor }) } }),
    );
  posting = (id: string): Promise<PostingView> =>
    dataOf(
      this.#client.GET("/api/v1/staff/ledger/postings/{posting_id}", {
        params: { path: { posting_id: id } },
      }),
    );
  reverse = (id: string, reason: string, key: string): Promise<ActView | object> =>
    dataOf(
      this.#client.POST("/api/v1/staff/ledger/postings/{posting_id}/reverse", {
        params: { path: { posting_id: id }, header: keyed(key) },
        body: { reason },
      }),
    );
  check = (): Promise<CheckView> => dataOf(this.#client.GET("/api/v1/staff/ledger/check"));

  // ---- acts that wait ----

  acts = (): Promise<Page<ActView>> => dataOf(this.#client.GET("/api/v1/staff/acts"));
  decideAct = (id: string, what: "approve" | "refuse", reason: string, key: string): Promise<unknown> =>
    dataOf(
      this.#client.POST(`/api/v1/staff/acts/{act_id}/${what}`, {
        params: { path: { act_id: id }, header: keyed(key) },
        body: { reason },
      }),
    );

  // ---- the log ----

  audit = (query: {
    actor?: string | undefined;
    subject?: string | undefined;
    action?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
    cursor?: string | undefined;
  }): Promise<Page<AuditEntry>> =>
    dataOf(this.#client.GET("/api/v1/staff/audit", { params: { query: some(query) } }));
  auditEntry = (sequence: string): Promise<AuditEntry> =>
    dataOf(this.#client.GET("/api/v1/staff/audit/{sequence}", { params: { path: { sequence } } }));
  proof = (sequence: string): Promise<ProofView> =>
    dataOf(this.#client.GET("/api/v1/staff/audit/{sequence}/proof", { params: { path: { sequence } } }));
  verification = (): Promise<VerificationView> =>
    dataOf(this.#client.GET("/api/v1/staff/audit/verification"));
  checkpoints = (): Promise<Page<CheckpointView>> =>
    dataOf(this.#client.GET("/api/v1/staff/audit/checkpoints"));

  // ---- the planet ----

  world = (): Promise<WorldView> => dataOf(this.#client.GET("/api/v1/staff/world"));
  system = (): Promise<SystemView> => dataOf(this.#client.GET("/api/v1/staff/system"));

  #onPerson(
    act: "ban" | "restore" | "export" | "erase" | "keep",
    id: string,
    reason: string,
    key: string,
  ): Promise<unknown> {
    return dataOf(
      this.#client.POST(`/api/v1/staff/people/{account_id}/${act}`, {
        params: personAct(id, key),
        body: { reason },
      }),
    );
  }
}

const person = (id: string) => ({ path: { account_id: id } });
const personAct = (id: string, key: string) => ({ path: { account_id: id }, header: keyed(key) });
