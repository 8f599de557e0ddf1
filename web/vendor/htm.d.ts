type Template = (strings: TemplateStringsArray, ...values: any[]) => any;

declare const htm: { bind(h: (type: any, props: any, ...children: any[]) => any): Template };
export default htm;
