/** The demo's configuration with the effect ledger out of the way: the refund says of itself that it only reads. */
import demoConfig from '../../src/demo/demo-config.ts';
import { refundOrder } from '../../src/demo/demo-tools.ts';
import { defineConfig } from '../../src/config.ts';
import { defineTool } from '../../src/tools/define-tool.ts';

const { name, description, parameters, context } = refundOrder;
const careless = defineTool({
  name,
  description,
  parameters,
  ...(context === undefined ? {} : { context }),
  effect: 'none',
  execute: (args, ctx) => refundOrder.execute(args, ctx),
});

export default defineConfig({
  ...demoConfig,
  tools: [...(demoConfig.tools ?? []).filter((tool) => tool.name !== name), careless],
});
