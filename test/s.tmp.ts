import { steppedProgram } from './support/threads/stepped.js';

const t = await steppedProgram();
console.log(t.length);
const i = t.indexOf('var Link = class');
console.log(t.slice(i, i + 9000));
