/** A CommonJS program in TypeScript: nothing runs here, it only has to compile. */
import runplane = require("runplane");

async function balance(): Promise<number> {
  const shield: runplane.Shield = new runplane.Runplane({ apiKey: "rpk_key" });
  try {
    return await shield.guard("read_balance", "stripe", {}, async () => 7);
  } catch (error) {
    if (error instanceof runplane.ShieldError && error.code === "BLOCKED") return 0;
    throw error;
  }
}

export = { balance };
