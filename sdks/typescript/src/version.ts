/** The version of this package; a test keeps it equal to `package.json`. */
export const VERSION = "0.1.0";

/**
 * What this client calls itself. WIRE: the header `Runplane-Client` tells the server that this client understands `expired`
 * and redeems approvals explicitly.
 */
export const CLIENT_NAME: string = `runplane-ts/${VERSION}`;
