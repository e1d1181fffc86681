/**
 * An OpenID Connect provider for tests: npm `oidc-provider`, which shares no code with the server, with its own pages
 * to sign in and to say yes. Whoever signs in is who they say they are.
 *
 *   node scripts/oidc_provider.mjs ALGORITHM REDIRECT_URI [PORT]
 *
 * Prints its issuer on the first line. Ends with its standard input.
 */
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

// It says on every start which versions of Node it likes best, and that it is not for production; both are known.
console.warn = () => {};
console.info = () => {};
const { Provider } = await import("oidc-provider");

const [algorithm, redirectUri, port = "0"] = process.argv.slice(2);

function key(alg, type, options) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: randomUUID() };
}

const server = createServer();
server.listen(Number(port), "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "terrane",
        client_secret: "a secret of the client & more",
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: algorithm,
      },
    ],
    jwks: {
      keys: [
        key("RS256", "rsa", { modulusLength: 2048 }),
        key("ES256", "ec", { namedCurve: "P-256" }),
        key("EdDSA", "ed25519"),
      ],
    },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256", "EdDSA"] },
    cookies: { keys: [randomUUID()] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: "ann@example.org" }) }),
    claims: { openid: ["sub"], email: ["email"] },
  });
  provider.on("server_error", (_, error) => console.error(error));
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
