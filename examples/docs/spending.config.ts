import { responses } from '../../src/backends.ts';
import { defineConfig } from '../../src/index.ts';

/** US dollars for a million tokens, by the model's name. */
const PRICES: Readonly<Record<string, { readonly input: number; readonly output: number }>> = {
  'gpt-5': { input: 1.25, output: 10 },
  'gpt-5-mini': { input: 0.25, output: 2 },
};

export default defineConfig({
  backends: { openai: responses({ apiKey: () => process.env['OPENAI_API_KEY'] ?? '' }) },
  assistants: { support: { model: 'gpt-5' } },
  price: ({ prompt_tokens, completion_tokens }, model) => {
    const found = Object.entries(PRICES).find(([name]) => model === name || model?.startsWith(`${name}-20`));
    if (found === undefined) throw new Error(`There is no price for ${model}.`);
    const [, { input, output }] = found;
    return (prompt_tokens * input + completion_tokens * output) / 1_000_000;
  },
  limits: { tokens: 50_000, cost: 0.5 },
  ceilings: { cost: 5, rounds: 64, attempts: 5, deadline_seconds: 86_400 },
});
