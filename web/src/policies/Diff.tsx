import { unifiedMergeView } from "@codemirror/merge";
import { yaml } from "@codemirror/lang-yaml";
import { EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { useEffect, useRef } from "react";
import { BASE, shadowOf } from "./Editor";

const MARKS = EditorView.theme({
  "&": { maxHeight: "100%" },
  ".cm-deletedChunk": { backgroundColor: "var(--block-soft)", paddingLeft: "6px" },
  ".cm-deletedText, .cm-deletedLine del": { background: "none", textDecoration: "none" },
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "var(--allow-soft) !important" },
  ".cm-changedText": { background: "none !important" },
  ".cm-changedLine .cm-changedText": { textDecoration: "underline", textUnderlineOffset: "3px", textDecorationColor: "var(--allow-mark)" },
  ".cm-changeGutter": { width: "3px" },
  ".cm-collapsedLines": { background: "var(--sunken)", color: "var(--text-2)", padding: "3px 10px" },
  // The sign of the library is in few fonts.
  ".cm-collapsedLines::before": { content: '"⋯"' },
  ".cm-collapsedLines::after": { content: '""' },
});

/** What changed between two texts: removed lines above added ones, what is equal folded away. */
export function Diff({ before, after, className }: { before: string; after: string; className?: string }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current === null) return;
    const root = shadowOf(host.current);
    const view = new EditorView({
      root, parent: root,
      state: EditorState.create({
        doc: after,
        extensions: [
          BASE, MARKS, yaml(), EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "What changed", tabindex: "0" }),
          before === "" ? [] : unifiedMergeView({ original: before, mergeControls: false, gutter: true, highlightChanges: true, syntaxHighlightDeletions: false, collapseUnchanged: { margin: 3, minSize: 6 } }),
        ],
      }),
    });
    return () => view.destroy();
  }, [before, after]);
  return <div ref={host} className={className} />;
}
