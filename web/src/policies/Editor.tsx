/**
 * The code editor. It lives in a shadow root: there its styles are constructed sheets, and no style element is written, which the
 * content policy of the page would refuse.
 */
import { autocompletion, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, forceParsing, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { forceLinting, linter, lintGutter, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { Offers } from "./complete";
import { Echo } from "./echo";

const COLOURS = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent-text)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--allow-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword, tags.atom], color: "var(--hold-text)" },
  { tag: [tags.comment, tags.meta], color: "var(--text-3)", fontStyle: "italic" },
  { tag: tags.content, color: "var(--text)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "var(--surface)", color: "var(--text)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", fontVariantLigatures: "none", fontFeatureSettings: "normal" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--text-3)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px", boxShadow: "var(--shadow-lg)" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "240px" },
  ".cm-completionDetail": { color: "var(--text-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-completionInfo": { maxWidth: "280px", padding: "6px 10px", fontFamily: "var(--font)" },
  ".cm-diagnostic": { padding: "6px 10px", fontFamily: "var(--font)", maxWidth: "460px" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--block-mark) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--hold-mark) 1px", textUnderlineOffset: "3px" },
  ".cm-lintRange-info": { backgroundImage: "none", textDecoration: "underline dotted var(--accent) 1px", textUnderlineOffset: "3px" },
  ".cm-lint-marker": { content: "none", width: "8px", height: "8px", borderRadius: "50%", margin: "6px 2px" },
  ".cm-lint-marker-error": { backgroundColor: "var(--block-mark)" },
  ".cm-lint-marker-warning": { backgroundColor: "var(--hold-mark)" },
  ".cm-lint-marker-info": { backgroundColor: "var(--accent)" },
  ".cm-foldGutter span": { color: "var(--text-3)" },
  ".cm-panels": { backgroundColor: "var(--sunken)", color: "var(--text)" },
});

export const BASE: Extension = [
  LOOK, syntaxHighlighting(COLOURS), lineNumbers(), foldGutter(), drawSelection(), bracketMatching(), highlightSelectionMatches(),
];

/** Makes the shadow root an editor lives in, once per element. */
export function shadowOf(host: HTMLElement): ShadowRoot {
  return host.shadowRoot ?? host.attachShadow({ mode: "open" });
}

interface Props {
  label: string;
  value: string;
  onChange?: (value: string) => void;
  language: "yaml" | "json";
  readOnly?: boolean;
  complete?: (text: string, cursor: number) => Offers | undefined;
  check?: (text: string) => Promise<readonly Diagnostic[]>;
  /** Where to look first: an offset. */
  at?: number;
  className?: string;
}

export function Editor({ label, value, onChange, language, readOnly = false, complete, check, at, className }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({ onChange, complete, check });
  latest.current = { onChange, complete, check };
  const locked = useRef(new Compartment());
  const echo = useRef(new Echo());

  useEffect(() => {
    if (host.current === null) return;
    const root = shadowOf(host.current);
    const source = (context: CompletionContext) => {
      const { state, pos, explicit } = context;
      if (!explicit && context.matchBefore(/[\w.]$|: $|\[$/) === null) return null;
      const found = latest.current.complete?.(state.doc.toString(), pos);
      return found === undefined ? null : { from: found.from, options: found.offers.map(({ kind, ...offer }) => ({ ...offer, type: kind })), validFor: /^[\w*-]*$/ };
    };
    const made = new EditorView({
      root, parent: root,
      state: EditorState.create({
        doc: value,
        extensions: [
          BASE, history(), indentOnInput(), highlightActiveLine(), language === "yaml" ? yaml() : json(),
          keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
          locked.current.of(EditorState.readOnly.of(readOnly)), EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0" }), EditorView.lineWrapping,
          latest.current.complete === undefined ? [] : autocompletion({ override: [source], icons: false }),
          latest.current.check === undefined ? [] : [lintGutter(), linter(async ({ state }) => [...((await latest.current.check?.(state.doc.toString())) ?? [])], { delay: 250 })],
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (!docChanged) return;
            const text = state.doc.toString();
            echo.current.say(text);
            latest.current.onChange?.(text);
          }),
        ],
      }),
    });
    view.current = made;
    return () => made.destroy();
  }, [label, language]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined) return;
    if (!echo.current.replaces(value, editor.state.doc.toString())) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);
  useEffect(() => {
    view.current?.dispatch({ effects: locked.current.reconfigure(EditorState.readOnly.of(readOnly)) });
    if (view.current !== undefined && check !== undefined) forceLinting(view.current);
  }, [readOnly]);
  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || at === undefined || at > editor.state.doc.length) return;
    // What is jumped to is coloured at once, not when the browser has nothing else to do.
    forceParsing(editor, editor.state.doc.length, 100);
    editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "start", yMargin: 60 }) });
  }, [at]);

  return <div ref={host} className={className} />;
}
