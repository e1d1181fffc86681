/** The id of an account or group from what a person pasted: the id itself, or a link that holds it. */
export function asId(text: string): string | undefined {
  const found = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i.exec(text.trim());
  return found?.[0].toLowerCase();
}
