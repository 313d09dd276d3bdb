/** Injection token of the GatewayOptions. */
export const GATEWAY_OPTIONS = 'GatewayOptions';
