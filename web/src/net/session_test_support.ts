import { fromBinary } from "@bufbuild/protobuf";
import { HelloSchema } from "../gen/terrane_pb.ts";
import { CLIENT_KIND } from "../wire/kinds.ts";

export { ByeSchema, WelcomeSchema } from "../gen/terrane_pb.ts";

/** Decodes a client's first message as the server would. */
export function fromHello(bytes: Uint8Array | undefined) {
  if (bytes?.[0] !== CLIENT_KIND.hello) throw new Error(`not a hello: ${bytes?.[0]}`);
  return fromBinary(HelloSchema, bytes.subarray(1));
}
