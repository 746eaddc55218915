/**
 * The server's rendering of a held action, line by line.
 *
 * SECURITY: only this text is what a person decides on; its digest is stored with the vote. The page lays it out and adds
 * nothing. Hidden characters come spelled out as ⟨U+XXXX⟩ and are marked here.
 */

export interface ShownField {
  name: string;
  value: string;
}

/** `name: value` per line; values hold no line breaks, they are spelled out. */
export function fieldsOf(text: string): ShownField[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const colon = line.indexOf(": ");
      return colon < 0 ? { name: "", value: line } : { name: line.slice(0, colon), value: line.slice(colon + 2) };
    });
}

/** Pieces of a text: `hidden` ones stand for characters that cannot be seen or imitate others. */
export function pieces(text: string): { text: string; hidden: boolean }[] {
  return text
    .split(/(⟨U\+[0-9A-F]{4,6}⟩)/)
    .filter((piece) => piece !== "")
    .map((piece) => ({ text: piece, hidden: /^⟨U\+[0-9A-F]{4,6}⟩$/.test(piece) }));
}
