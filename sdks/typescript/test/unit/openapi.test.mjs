/** The answers the SDK promises are those the server describes: each member is there, with its type, and what is required is. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";

const api = JSON.parse(readFileSync(new URL("../../../../contracts/openapi.json", import.meta.url), "utf8"));
const source = ts.createSourceFile("answers.ts", readFileSync(new URL("../../src/answers.ts", import.meta.url), "utf8"), ts.ScriptTarget.Latest, true);

const answerTo = (path, method) => api.paths[path][method].responses["200"].content["application/json"].schema;
const WORDS = { Outcome: "string", ExecutionStatus: "string" };

/** Members of a schema with their types; those of its parts together. */
function members(schema) {
  if (schema.$ref !== undefined) return members(api.components.schemas[schema.$ref.split("/").at(-1)]);
  // A part that may be absent is there with all its members or with none.
  const absent = (schema.oneOf ?? []).find(({ type }) => type !== "null");
  if (absent !== undefined) return { types: members(absent).types, required: new Set() };
  const parts = (schema.allOf ?? []).map(members);
  const all = new Map(parts.flatMap(({ types }) => [...types]));
  for (const [name, member] of Object.entries(schema.properties ?? {})) all.set(name, typeOf(member));
  return { types: all, required: new Set([...parts.flatMap(({ required }) => [...required]), ...(schema.required ?? [])]) };
}

function typeOf(schema) {
  if (schema.$ref !== undefined) return typeOf(api.components.schemas[schema.$ref.split("/").at(-1)]);
  const one = (schema.oneOf ?? []).find(({ type }) => type !== "null");
  if (one !== undefined) return typeOf(one);
  const type = [schema.type ?? "object"].flat().find((each) => each !== "null");
  return type === "integer" ? "number" : type;
}

function promised(name) {
  const found = source.statements.find((statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === name);
  return found.members.map((member) => ({ name: member.name.text, optional: member.questionToken !== undefined, type: written(member.type) }));
}

function written(type) {
  if (ts.isUnionTypeNode(type)) return written(type.types.find((each) => !(ts.isLiteralTypeNode(each) && each.literal.kind === ts.SyntaxKind.NullKeyword)));
  if (ts.isTypeOperatorNode(type) || ts.isArrayTypeNode(type)) return "array";
  if (ts.isLiteralTypeNode(type)) return "string";
  return WORDS[type.getText()] ?? type.getText();
}

for (const [name, schema] of [
  ["Decision", answerTo("/api/v1/guard", "post")],
  ["ApprovalStatus", answerTo("/api/v1/approvals/{id}", "get")],
  ["AuditVerification", answerTo("/api/audit/verify", "get")],
  ["OutcomeRecord", answerTo("/api/v1/executions/{requestId}", "post")],
  ["LimitUse", { $ref: "#/components/schemas/LimitView" }],
]) {
  test(`${name} is what the server answers`, () => {
    const { types, required } = members(schema);
    for (const { name: member, optional, type } of promised(name)) {
      assert.ok(types.has(member), `the server knows no \`${member}\``);
      assert.equal(types.get(member), type, member);
      // The reader makes an absent approval id null.
      assert.ok(optional || required.has(member) || member === "approvalId", `the server may leave out \`${member}\``);
    }
  });
}
